"""``cfgc plot``: curves of runs, as a picture or in the terminal."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.report import say
from cfgc.cli.writing import writing

if TYPE_CHECKING:
    from cfgc.runs.series import Axis, Series

_KINDS = ("png", "svg", "pdf")


@click.command()
@click.argument(
    "directories",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="RUN...",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, readable=False),
    help="The picture: .png, .svg or .pdf.",
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="What to draw; several times for several.")
@click.option("--x", "axis", type=click.Choice(["step", "tokens", "time"]), default="step", show_default=True)
@click.option(
    "--smooth", type=click.IntRange(0), default=0, metavar="N", help="Draw the exponential mean over N points too."
)
def plot(directories: tuple[Path, ...], out: Path | None, metrics: tuple[str, ...], axis: Axis, smooth: int) -> int:
    """Draw loss, learning rate, gradient norm and throughput of one or several runs.

    Without -o it draws in the terminal. Pictures need matplotlib: pip install 'cfgc[plot]'.
    """
    from cfgc.runs.series import USUAL
    from cfgc_runtime.progress import sayable

    kind = out.suffix.lstrip(".").lower() if out else ""
    if out and kind not in _KINDS:
        raise click.UsageError(f"{out} is no picture that can be drawn; end its name in .png, .svg or .pdf")
    wanted = list(dict.fromkeys(metrics or USUAL))
    series = _read(directories, wanted, axis)
    drawn = [metric for metric in wanted if any(one.metric == metric for one in series)]
    if not drawn:
        return _nothing(directories, wanted)
    if out is None:
        click.echo(sayable(_in_terminal(series, drawn, smooth), sys.stdout.encoding))
        return EXIT_OK
    if importlib.util.find_spec("matplotlib") is None:
        say("error: pictures need matplotlib: pip install 'cfgc[plot]'; without -o the curves are drawn here")
        return EXIT_REJECTED
    from cfgc.runs.drawing import picture

    data = picture(series, drawn, axis, smooth, kind)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(data)
    say(f"wrote {out}: {', '.join(drawn)} of {len(directories)} {'run' if len(directories) == 1 else 'runs'}")
    return EXIT_OK


def _read(directories: Sequence[Path], metrics: Sequence[str], axis: Axis) -> list[Series]:
    """All series; the held-out loss comes along with the loss."""
    from cfgc.runs.series import read_series

    names = _names(directories)
    wanted = [*metrics, *(["eval_loss"] if "loss" in metrics and "eval_loss" not in metrics else [])]
    return [one for path in names for one in read_series(path, names[path], wanted, axis)]


def _names(directories: Sequence[Path]) -> dict[Path, str]:
    """What each run is called in a legend: its directory's own name, or its path where that is not enough."""
    own = {path: path.resolve().name for path in directories}
    counts = [*own.values()]
    return {path: name if counts.count(name) == 1 else str(path) for path, name in own.items()}


def _nothing(directories: Sequence[Path], metrics: Sequence[str]) -> int:
    from cfgc.runs.series import metrics_of

    there = sorted({name for path in directories for name in metrics_of(path)})
    has = f"there are {', '.join(there)}" if there else "nothing was recorded yet"
    say(f"error: no {' or '.join(metrics)} in {', '.join(map(str, directories))}; {has}")
    return EXIT_REJECTED


def _in_terminal(series: Sequence[Series], metrics: Sequence[str], smooth: int) -> str:
    from cfgc.runs.series import TITLES, smoothed
    from cfgc_runtime.curve import draw_curve

    several = len({one.run for one in series}) > 1
    blocks = []
    for metric in metrics:
        for one in (one for one in series if one.metric == metric):
            points = smoothed(one.points, smooth) if smooth > 1 else list(one.points)
            title = TITLES.get(metric, metric) + (f" · {one.run}" if several else "")
            blocks.append(f"{title}\n{draw_curve(points)}")
    return "\n\n".join(blocks)
