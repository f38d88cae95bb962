"""The same work for many numbers, on all cores where that pays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")

WORTH_IT = 200
"""Calls from which on processes pay for their start."""

_CHUNK = 16
_work: list[Callable[[int], Any]] = []
"""What a worker does: it is forked, so that it has the work without being sent it."""


def spread(work: Callable[[int], ResultT], count: int) -> Iterator[ResultT]:
    """``work(0)`` to ``work(count - 1)``, in order. ``work`` must not change anything that it is not given."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if count < WORTH_IT or cores < 2 or sys.platform != "linux":
        yield from map(work, range(count))
        return
    _work.append(work)
    try:
        with multiprocessing.get_context("fork").Pool(cores, _deaf) as pool:
            yield from pool.imap(_call, range(count), chunksize=_CHUNK)
    finally:
        _work.pop()


def _deaf() -> None:
    """Ctrl-C is for the parent, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call(index: int) -> Any:
    return _work[-1](index)
