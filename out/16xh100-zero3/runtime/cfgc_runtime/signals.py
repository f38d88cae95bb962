"""Signals: which ones ask a run to save and stop, and ties between processes. Standard library only."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

STOP_SIGNALS: Final = (signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)
END_SIGNAL: Final = signal.SIGHUP
"""What ends torchrun, which must not hear of ``STOP_SIGNALS``."""
_PR_SET_PDEATHSIG: Final = 1


class StopRequest:
    """Remembers that one of ``STOP_SIGNALS`` came; asking again changes nothing, so it cannot hurt a save.

    ``interrupts`` counts Ctrl-C alone. ``taken_away``: TERM came first, as when Slurm preempts, requeues or cancels a
    job; its time limit sends USR2 before that.
    """

    def __init__(self) -> None:
        self.requested = False
        self.taken_away = False
        self.interrupts = 0

    def install(self) -> None:
        """Handle the signals from now on, also those that were blocked until now."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._handle)
        unblock()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.taken_away |= number == signal.SIGTERM and not self.requested
        self.requested = True
        self.interrupts += number == signal.SIGINT


def block() -> None:
    """Hold the stop signals back, until ``unblock``."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def ignore() -> None:
    """Be deaf to requests: an interpreter that is ending would die of one, and its exit code with it."""
    for number in (*STOP_SIGNALS, END_SIGNAL):
        signal.signal(number, signal.SIG_IGN)


def unblock() -> None:
    """Let the stop signals through."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def die_with_parent(number: signal.Signals) -> None:
    """Get ``number`` when the parent process ends in whatever way, so that nothing is left running (Linux)."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def send(pid: int, number: signal.Signals) -> None:
    """Signal ``pid`` if it is still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def state_of(pid: int) -> str:
    """The letter that ``ps`` shows for ``pid``; empty when there is no such process (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def is_alive(pid: int) -> bool:
    """Whether ``pid`` is there, and more than an end that nobody has asked for yet."""
    return state_of(pid) not in ("", "Z", "X")
