"""Who uses a run directory. Standard library only.

``.lock`` is shared by everything that runs: supervisors, torchrun (which inherits it) and every rank, so that it stays
held until the last rank is gone, whatever became of the supervisor. Opening an attempt needs it alone. ``.lock-K`` is
held by the one supervisor of node K, and by its torchrun; ``.lock-K.L`` by that of a single rank, where each has one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.holder import how_to_stop
from cfgc_runtime.rundir import RunDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_UNSUPPORTED = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
_STAGING_S = 60.0
_GLANCE_S = 1.0
"""Longer than anybody looks whether a lock is held."""
_ENDING_S = 15.0
_POLL_S = 0.1


@contextmanager
def alone(run: RunDirectory) -> Iterator[None]:
    """Hold ``run`` while nothing of it is running. Raises ``Failure`` when something is."""
    with _locked(run.root / ".lock", fcntl.LOCK_EX, 0.0):
        yield


def wait_until_free(run: RunDirectory, patience_s: float | None = None) -> None:
    """Wait a little for what the ranks of an attempt left behind: a process of the user's may need a moment to end.

    Whether it has ended then is for ``alone`` to say.
    """
    with (
        suppress(Failure, OSError, KeyboardInterrupt),
        _locked(run.root / ".lock", fcntl.LOCK_EX, _ENDING_S if patience_s is None else patience_s),
    ):
        pass


@contextmanager
def supervising(run: RunDirectory, share: str) -> Iterator[tuple[int, int]]:
    """Be the supervisor of this ``share`` of the ranks; the descriptors are for the launcher to inherit.

    Raises ``Failure`` when another start is alive here.
    """
    with (
        _locked(run.root / f".lock-{share}", fcntl.LOCK_EX, _GLANCE_S) as own,
        _locked(run.root / ".lock", fcntl.LOCK_SH, _STAGING_S) as shared,
    ):
        yield own, shared


def is_supervised(run: RunDirectory, share: str) -> bool:
    """Whether the supervisor of ``share`` lives; true where the file system cannot say."""
    try:
        with (run.root / f".lock-{share}").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # held, or not supported
        return True
    return False


@contextmanager
def running(run: RunDirectory) -> Iterator[None]:
    """Be a rank: forked children hold the lock too."""
    with _locked(run.root / ".lock", fcntl.LOCK_SH, _STAGING_S):
        yield


@contextmanager
def _locked(path: Path, kind: int, patience_s: float) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, path, kind, time.monotonic() + patience_s)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, kind: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Failure(
                    BAD_BUNDLE,
                    f"{path.parent} is in use: this run was already started, or its ranks are still saving; "
                    f"wait until they have ended{how_to_stop(RunDirectory(path.parent))}",
                ) from None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            print(f"note: {path.parent} cannot be locked ({error.strerror}): start this run only once", file=sys.stderr)
            return None
        time.sleep(_POLL_S)
