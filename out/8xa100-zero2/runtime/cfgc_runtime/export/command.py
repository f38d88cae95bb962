"""``export`` in the bundle's runtime, for nodes without cfgc; the words are those of ``cfgc export``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import USAGE, Failure, tell
from cfgc_runtime.export.exporting import DTYPES, Export, export_checkpoint, size_of

if TYPE_CHECKING:
    from collections.abc import Callable


def add_parser(commands: Any) -> None:  # argparse's subparsers
    """The ``export`` command."""
    parser = commands.add_parser("export", help="write a checkpoint's weights as safetensors, for transformers too")
    parser.add_argument("path", type=Path, metavar="RUN|CHECKPOINT")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="a new directory")
    parser.add_argument("--format", choices=["auto", "huggingface", "safetensors"], default="auto")
    parser.add_argument("--dtype", choices=list(DTYPES), default="", help="default: the precision of training")
    parser.add_argument("--step", type=int, help="default: the newest checkpoint")
    parser.add_argument("--best", action="store_true", help="the checkpoint of the lowest held-out loss")
    parser.add_argument("--shard-size", default="5GB", metavar="SIZE", help="such as 5GB")


def run_export(options: argparse.Namespace) -> str:
    """Export what the command line asks for; the line that says what was written. Raises ``Failure``."""
    size = size_of(options.shard_size)
    if size is None:
        raise Failure(USAGE, f"--shard-size: {options.shard_size!r} is no size such as 5GB")
    path, out = options.path.absolute(), options.out.absolute()
    wanted = Export(path, out, options.format, options.dtype, options.step, options.best, size)
    return export_checkpoint(wanted, _every_tenth(tell))


def _every_tenth(say: Callable[[str], None]) -> Callable[[int, int], None]:
    """A report that says each tenth of the work once."""
    said = 0

    def report(done: int, total: int) -> None:
        nonlocal said
        if (tenth := 10 * done // max(total, 1)) > said:
            said = tenth
            say(f"{10 * tenth} % of {total / 1e6:,.1f} MB")

    return report
