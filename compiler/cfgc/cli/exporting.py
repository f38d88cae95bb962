"""``cfgc export``: the runtime's own code with a progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cfgc.cli import EXIT_OK
from cfgc.cli.report import say

if TYPE_CHECKING:
    from cfgc_runtime.export.exporting import Export, Format, Precision


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="RUN|CHECKPOINT")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    metavar="DIR",
    help="A new directory.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["auto", "huggingface", "safetensors"]),
    default="auto",
    help="auto: for transformers when it has the same model.",
)
@click.option("--dtype", type=click.Choice(["fp32", "bf16", "fp16"]), help="[default: the precision of training]")
@click.option("--step", type=click.IntRange(1), metavar="N", help="Which checkpoint of a run [default: the newest].")
@click.option("--best", is_flag=True, help="The checkpoint of the lowest held-out loss.")
@click.option("--shard-size", default="5GB", metavar="SIZE", help="Largest file of weights [default: 5GB].")
def export(
    path: Path, out: Path, form: Format, dtype: Precision | None, step: int | None, best: bool, shard_size: str
) -> int:
    """Write a checkpoint's weights as safetensors.

    A decoder with SwiGLU becomes a Llama of transformers, a transformers model what it was; tokenizer files come along.
    Every file's sha256 is checked first, and DIR is there only once it is whole. Needs torch, deepspeed and
    safetensors; on a node without cfgc: python -B RUN/bundle/runtime export RUN -o DIR.
    """
    from cfgc_runtime.export.exporting import Export, size_of

    size = size_of(shard_size)
    if size is None:
        raise click.BadParameter(f"{shard_size!r} is no size such as 5GB", param_hint="--shard-size")
    if best and step is not None:
        raise click.UsageError("--best and --step name two checkpoints; give one of them")
    return _exported(Export(path.absolute(), out.absolute(), form, dtype or "", step, best, size))


def _exported(wanted: Export) -> int:
    """Export, and say what was written; the runtime's exit code when it refuses."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from cfgc_runtime.errors import BAD_CHECKPOINT, Failure, describe_os_error
    from cfgc_runtime.export.exporting import export_checkpoint

    described = TextColumn("[progress.description]{task.description}")
    columns = (described, BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("weights", total=None)
            line = export_checkpoint(wanted, lambda done, total: progress.update(task, completed=done, total=total))
    except Failure as failure:
        say(f"error: {failure}")
        return failure.code
    except OSError as error:
        say(f"error: {describe_os_error(error, wanted.out)}")
        return BAD_CHECKPOINT
    click.echo(line)
    return EXIT_OK
