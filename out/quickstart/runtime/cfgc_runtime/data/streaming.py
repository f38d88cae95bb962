"""A shuffle buffer over samples that come in order: which comes out when is a pure function of the seed.

The buffer holds ``size`` samples. Each turn takes out a random one and puts the next of the stream in its place; when
the stream has ended, the buffer is emptied in a random order, and the next epoch starts. What it holds after any number
of turns is computed on integers, so that a resume reads past the samples before and keeps those alone.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.seeding import derive_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
_DRAWS = 8192


class Turns:
    """The random choices of one epoch, with a buffer of ``size``."""

    def __init__(self, size: int, seed: int) -> None:
        self.size, self._seed = size, seed
        self._known: tuple[int, list[int]] = (-1, [])

    def slot(self, turn: int) -> int:
        """Which slot of the buffer turn ``turn`` empties and fills again."""
        block, place = divmod(turn, _DRAWS)
        if self._known[0] != block:
            self._known = block, self._draws(block).tolist()
        return self._known[1][place]

    def held(self, turns: int) -> list[int]:
        """Which sample of the stream each slot holds after ``turns`` turns."""
        held = torch.arange(self.size)
        for block in range(-(-turns // _DRAWS)):
            slots = self._draws(block)[: turns - block * _DRAWS]
            new = torch.arange(len(slots)) + self.size + block * _DRAWS
            held.scatter_reduce_(0, slots, new, "amax")  # of two in one slot, the later has the larger number
        return held.tolist()

    def emptied(self, full: int) -> list[int]:
        """In which order the ``full`` slots are emptied at the end."""
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "emptied"))
        return torch.randperm(full, generator=generator).tolist()

    def _draws(self, block: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "draws", block))
        return torch.randint(self.size, (_DRAWS,), generator=generator)


class _EpochOverError(Exception):
    """The epoch has fewer samples than asked for: ``samples``."""

    def __init__(self, samples: int) -> None:
        super().__init__(samples)
        self.samples = samples


class _Epoch(Generic[T]):
    """One pass over the stream, from output ``done`` on. Raises ``_EpochOverError`` when it has not as many."""

    def __init__(self, source: Callable[[], Iterable[T]], turns: Turns, done: int) -> None:
        self._turns, self._done = turns, done
        self._reader = iter(source())
        self._left: Iterator[int] | None = None
        held = turns.held(done)
        kept, self._read = _keep(self._reader, set(held), turns.size + done)
        if self._read < turns.size + done:
            full = min(turns.size, self._read)
            left = turns.emptied(full)[done - (self._read - full) :] if self._read > done else []
            if not left:
                raise _EpochOverError(self._read)
            self._left, held = iter(left), turns.held(self._read - full)
            missing = {held[slot] for slot in left} - kept.keys()
            kept |= _keep(iter(source()), missing, self._read)[0] if missing else {}
        self._buffer = [(number, kept.get(number)) for number in held]

    def take(self) -> tuple[int, T]:
        """The next output: its number in the stream, and the sample. Raises ``_EpochOverError`` behind the last."""
        if self._left is None:
            for item in islice(self._reader, 1):
                slot = self._turns.slot(self._done)
                taken, self._buffer[slot] = self._buffer[slot], (self._read, item)
                self._done, self._read = self._done + 1, self._read + 1
                return taken  # type: ignore[return-value]  # what is kept is no None
            self._left = iter(self._turns.emptied(self._turns.size))
        for slot in self._left:
            return self._buffer[slot]  # type: ignore[return-value]
        raise _EpochOverError(self._read)


class ShuffledStream(Generic[T]):
    """The outputs of all epochs, counted from 0, to be asked for in rising order.

    ``source`` starts the stream over, the same one each time. Without ``reshuffle`` every epoch has the first's order.
    """

    def __init__(self, source: Callable[[], Iterable[T]], size: int, seed: int, reshuffle: bool) -> None:
        self._source, self._size, self._seed, self._reshuffle = source, size, seed, reshuffle
        self._epoch: _Epoch[T] | None = None
        self._number, self._next = 0, 0

    def take(self, position: int) -> tuple[int, T]:
        """Output ``position``: the number in the stream of its sample, and the sample.

        Raises ``Failure`` when the stream is empty.
        """
        if self._epoch is None or position < self._next:
            self._seek(position)
        taken = self._take()
        while self._next <= position:
            taken = self._take()
        return taken

    def _take(self) -> tuple[int, T]:
        assert self._epoch is not None
        self._next += 1
        try:
            return self._epoch.take()
        except _EpochOverError:
            self._number += 1
            self._epoch = self._open(0)
            return self._epoch.take()

    def _seek(self, position: int) -> None:
        self._number, within = 0, position
        while True:
            try:
                self._epoch = self._open(within)
            except _EpochOverError as over:  # how long an epoch is, a stream says only at its end
                if not over.samples:
                    raise Failure(NO_INPUT, "too little data: the stream holds no sample to train on") from None
                self._number, within = divmod(position, over.samples)
            else:
                break
        self._next = position

    def _open(self, done: int) -> _Epoch[T]:
        epoch = self._number if self._reshuffle else 0
        return _Epoch(self._source, Turns(self._size, derive_seed(self._seed, "stream", epoch)), done)


def _keep(reader: Iterator[T], wanted: set[int], stop: int) -> tuple[dict[int, T], int]:
    """Those of the reader's next ``stop`` items whose numbers are ``wanted``, and how many there were."""
    kept: dict[int, T] = {}
    count = 0
    for item in islice(reader, stop):
        if count in wanted:
            kept[count] = item
        count += 1
    return kept, count
