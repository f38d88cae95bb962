"""Which source a sample comes from, when sources are mixed by shares.

Positions come in blocks. A block lays points at equal distances over the unit interval, which the shares divide among
the sources; a shift of the points that differs from block to block makes up for what rounding leaves. So every block
holds nearly the shares, all blocks together hold them exactly in the limit, and how often a source came up before any
position is a sum without a simulation. Integers throughout: no machine can round otherwise.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from cfgc_runtime.seeding import derive_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLOCK = 4096
_UNIT = 1 << 32
_STRIDE = _UNIT // BLOCK
LEAST_SHARE = 1 / _UNIT
"""Below it a source would have no point of the grid."""

_SHIFT = 648_055
"""The golden section of the stride, odd: its multiples spread evenly below the stride."""


class Mixture:
    """Sources 0 … n - 1, drawn by ``shares``, which are above 0 and sum to 1."""

    def __init__(self, shares: Sequence[float], seed: int, shuffle: bool) -> None:
        ends = [round(math.fsum(shares[: number + 1]) * _UNIT) for number in range(len(shares))]
        self._bounds = np.array([0, *ends[:-1], _UNIT], dtype=np.int64)
        self._seed, self._shuffle = seed, shuffle
        self._block = lru_cache(maxsize=4)(self._make_block)

    def draw(self, position: int) -> tuple[int, int]:
        """The source of the sample at ``position``, and how many samples it gave at earlier ones."""
        if len(self._bounds) == 2:
            return 0, position
        number, place = divmod(position, BLOCK)
        sources, counts = self._block(number)
        return int(sources[place]), int(counts[place])

    def _make_block(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        points = np.arange(BLOCK, dtype=np.int64) * _STRIDE + number * _SHIFT % _STRIDE
        sources = np.searchsorted(self._bounds, points[self._arrange(number)], side="right") - 1
        counts = np.empty(BLOCK, dtype=np.int64)
        for source, before in enumerate(self._given_before(number)):
            places = np.flatnonzero(sources == source)
            counts[places] = before + np.arange(len(places))
        return sources, counts

    def _given_before(self, number: int) -> list[int]:
        """Samples of each source in all blocks before block ``number``."""
        shifts = np.arange(number, dtype=np.int64) * _SHIFT % _STRIDE
        below = [int((-((shifts - bound) // _STRIDE)).sum()) for bound in self._bounds.tolist()]
        return [upper - lower for lower, upper in itertools.pairwise(below)]

    def _arrange(self, number: int) -> NDArray[np.int64]:
        """In which order a block visits its points: random, or without shuffling as evenly as can be."""
        if self._shuffle:
            generator = torch.Generator().manual_seed(derive_seed(self._seed, "mixture", number))
            order: NDArray[np.int64] = torch.randperm(BLOCK, generator=generator).numpy()
            return order
        return _reversed_bits(BLOCK)


def shares_by_size(sizes: Sequence[int], exponent: float) -> tuple[float, ...]:
    """size ^ ``exponent`` over the sum of them, for each of ``sizes`` (all above 0)."""
    powers = [math.log(size) * exponent for size in sizes]
    raised = [math.exp(power - max(powers)) for power in powers]
    return tuple(one / math.fsum(raised) for one in raised)


def _reversed_bits(count: int) -> NDArray[np.int64]:
    """0 … ``count`` - 1 (a power of two), each with its bits in reverse: near numbers come far apart."""
    width = count.bit_length() - 1
    return np.array([int(f"{number:0{width}b}"[::-1], 2) for number in range(count)], dtype=np.int64)
