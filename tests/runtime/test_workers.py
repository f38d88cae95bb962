"""Worker processes that read ahead, and the rank that they belong to."""

from __future__ import annotations

import ctypes
import signal
from typing import Any

import pytest
from torch.utils.data import Dataset

from cfgc_runtime.data.loading import loader
from tests.runtime.documents import data

PR_GET_PDEATHSIG = 2


class Tied(Dataset[Any]):
    """The signal that the process that reads gets when its parent ends."""

    def __getitem__(self, index: int) -> int:
        number = ctypes.c_int(index)
        ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(number))
        return number.value


def test_a_worker_is_killed_when_its_rank_ends() -> None:
    """A worker holds the lock of the run directory too, so that one that lived on would keep the next start away."""
    numbers = loader(Tied(), range(2), data(num_workers=1, prefetch_factor=1), persistent=False)
    assert list(numbers) == [signal.SIGKILL, signal.SIGKILL]


@pytest.mark.covers("data.num_workers", "data.prefetch_factor")
def test_as_many_workers_read_as_far_ahead_as_the_spec_says() -> None:
    """Nobody outside of the loader sees how far ahead it reads: that it only saves time is what it is for."""
    made = loader(Tied(), range(2), data(num_workers=2, prefetch_factor=5), persistent=False)
    assert (made.num_workers, made.prefetch_factor) == (2, 5)
    assert loader(Tied(), range(2), data(prefetch_factor=5), persistent=False).num_workers == 0
