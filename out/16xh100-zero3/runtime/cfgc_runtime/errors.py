"""How a run ends: exit codes, and the one exception that carries one with a sentence for the user."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FINISHED: Final = 0
DIVERGED: Final = 3
USAGE: Final = 64
BAD_BUNDLE: Final = 65
NO_INPUT: Final = 66
INTERNAL: Final = 70
CANNOT_WRITE: Final = 73
BAD_CHECKPOINT: Final = 74
PREEMPTED: Final = 75
LOST_PEER: Final = 76
HUNG: Final = 77
WRONG_WORLD: Final = 78

MEANING: Final = {
    FINISHED: "finished",
    DIVERGED: "the loss or the gradient is no longer a number",
    USAGE: "wrong command line",
    BAD_BUNDLE: "the bundle or the run directory was refused",
    NO_INPUT: "the training data cannot be used, or it changed",
    INTERNAL: "an unexpected error",
    CANNOT_WRITE: "the run directory cannot be written",
    BAD_CHECKPOINT: "reading or writing failed, or no checkpoint can be used",
    PREEMPTED: "stopped as asked: start again to go on",
    LOST_PEER: "another rank went away",
    HUNG: "a rank stood still (launch.watchdog)",
    WRONG_WORLD: "the plan cannot run with these ranks, packages or model",
    137: "killed (SIGKILL): often out of memory",
}


FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Failure(Exception):  # noqa: N818 - it is how a run ends, not always an error of the code
    """The run cannot go on. ``code`` is the process's exit code; the message is for the user."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def tell(text: str) -> None:
    """``text`` on stderr; when nobody reads it any more, the exit code still says how it ended."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def is_failure(code: int) -> bool:
    """Whether a process that ended with ``code`` neither finished nor saved when it was asked to stop."""
    return code not in (FINISHED, PREEMPTED)


def meaning(code: int) -> str:
    """What exit code ``code`` says, in a few words."""
    if code in MEANING:
        return MEANING[code]
    return f"killed by signal {code - 128}" if code > 128 else "failed"


def describe_os_error(error: OSError, place: Path | str) -> str:
    """What the system says and where; ``place`` stands in when a write to an open file failed, which has no name."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{reason}: {os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else place}"


def find_os_error(error: BaseException | None) -> OSError | None:
    """The system's error behind ``error``: libraries wrap it."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error
