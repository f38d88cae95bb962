"""The command line: the only place that prints, exits or reads argv."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_OK = 0
EXIT_REJECTED = 1
EXIT_DIFFERS = 2
EXIT_USAGE = 64
EXIT_BAD_BUNDLE = 65
EXIT_INTERNAL = 70
EXIT_IO = 74
EXIT_INTERRUPTED = 130

_FEW = 100_000
"""Containers between two searches for garbage: the imports make that many, and none of it is garbage."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``cfgc``; ends the process with one of the codes above."""
    import gc

    gc.set_threshold(_FEW)
    raise SystemExit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run ``cfgc`` and return its exit code; nothing but a code leaves, whatever happens inside."""
    words = sys.argv[1:] if argv is None else list(argv)
    return EXIT_OK if words[:1] == ["build"] and _nothing_to_do(words[1:]) else _run(words)


def _nothing_to_do(words: Sequence[str]) -> bool:
    """Whether a build of ``words`` has nothing to do, which is then said; the whole command takes far longer."""
    from cfgc.receipts.receipt import unchanged

    try:
        said = unchanged(words)
        if said and sys.stderr is not None:
            print(said, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return False
    return said is not None


def _run(words: list[str]) -> int:
    from pathlib import Path

    import click

    from cfgc.cli.commands import cfgc

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell: 2>&-
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - it is open until the end
    try:
        os.getcwd()  # noqa: PTH109 - only whether it is there
        outcome = cfgc.main(args=words, prog_name="cfgc", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return EXIT_OK
    except OSError as error:
        _drop_output()
        what = f": {error.filename}" if error.filename else ", and the output was not written"
        print(f"error: {error.strerror or error}{what}", file=sys.stderr)
        return EXIT_IO
    except Exception as error:
        return _internal(error)
    return outcome if isinstance(outcome, int) else EXIT_OK


def _drop_output() -> None:
    """Keep the interpreter from flushing, once more, what could not be written."""
    from contextlib import suppress

    with suppress(OSError):  # a program that runs cfgc may have put something else there, which has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _internal(error: Exception) -> int:
    if os.environ.get("CFGC_TRACEBACK"):
        raise error
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place else ""
    print(f"internal error: {type(error).__name__}{where}: {error}", file=sys.stderr)
    print("  = this is a defect of cfgc, not of your spec; nothing was written", file=sys.stderr)
    print("  = help: run the command again with CFGC_TRACEBACK=1 and report what it prints", file=sys.stderr)
    return EXIT_INTERNAL
