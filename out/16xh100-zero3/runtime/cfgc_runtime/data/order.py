"""Which sample comes when: pure functions of (seed, step, micro step, rank), whatever the worker count.

The samples of a run have positions, counted from 0: step after step, in a step micro step after micro step, in a micro
step rank after rank. What stands at a position does not depend on how many ranks share a global batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import torch

from cfgc_runtime.seeding import derive_seed

if TYPE_CHECKING:
    from cfgc_runtime.config import Batch
    from cfgc_runtime.data.mixing import Mixture


class Order(Protocol):
    """The samples of every micro step."""

    def indices(self, step: int, micro: int, rank: int) -> list[int]:
        """Samples of ``rank`` in micro step ``micro`` of optimizer step ``step`` (both from 0)."""
        ...


def positions(batch: Batch, ranks: int, step: int, micro: int, rank: int) -> range:
    """Positions, over the whole run, of what ``rank`` takes in micro step ``micro`` of optimizer step ``step``."""
    size = batch.micro_batch_size
    start = step * batch.global_batch_size + (micro * ranks + rank) * size
    return range(start, start + size)


def micro_steps(batch: Batch, steps: range) -> range:
    """Those of the optimizer ``steps``, both counted over the whole run."""
    each = batch.gradient_accumulation_steps
    return range(steps.start * each, steps.stop * each)


@dataclass(frozen=True)
class HeldOutOrder:
    """Held-out samples 0 … ``count`` - 1, one after the other, in batches of ``size`` on each of ``ranks``."""

    count: int
    size: int
    ranks: int

    def batches(self, most: int) -> range:
        """The batches of a rank, equally many on every one; at most ``most`` (0: all)."""
        needed = -(-self.count // (self.size * self.ranks))
        return range(min(needed, most or needed))

    def batch(self, index: int, rank: int) -> tuple[list[int], list[float]]:
        """Samples of batch ``index`` of ``rank``, and their weights: 0 for what only fills the batch up."""
        start = (index * self.ranks + rank) * self.size
        places = range(start, start + self.size)
        return [place % self.count for place in places], [1.0 if place < self.count else 0.0 for place in places]


@dataclass(frozen=True)
class TrainOrder:
    """Samples 0 … ``train`` - 1. An epoch is as many whole global batches as fit into ``train``."""

    train: int
    batch: Batch
    ranks: int
    seed: int
    shuffle: bool
    reshuffle_each_epoch: bool

    def indices(self, step: int, micro: int, rank: int) -> list[int]:
        """Samples of ``rank`` in micro step ``micro`` of optimizer step ``step`` (both from 0)."""
        epoch, within = divmod(step, self.train // self.batch.global_batch_size)
        places = positions(self.batch, self.ranks, within, micro, rank)
        if not self.shuffle:
            return list(places)
        order = _permutation(self.train, self.seed, epoch if self.reshuffle_each_epoch else 0)
        return order[places.start : places.stop].tolist()


@dataclass(frozen=True)
class MixedOrder:
    """Samples of several sources, each source's in an order of its own that starts over when it ends.

    ``sources`` are the ranges of their samples.
    """

    sources: tuple[range, ...]
    mixture: Mixture
    batch: Batch
    ranks: int
    seed: int
    shuffle: bool
    reshuffle_each_epoch: bool
    _orders: dict[int, tuple[int, torch.Tensor]] = field(default_factory=dict, compare=False, repr=False)

    def indices(self, step: int, micro: int, rank: int) -> list[int]:
        """Samples of ``rank`` in micro step ``micro`` of optimizer step ``step`` (both from 0)."""
        places = positions(self.batch, self.ranks, step, micro, rank)
        return [self._sample(*self.mixture.draw(place)) for place in places]

    def _sample(self, source: int, count: int) -> int:
        """The sample that ``source`` gives after it gave ``count`` others."""
        samples = self.sources[source]
        epoch, place = divmod(count, len(samples))
        if not self.shuffle:
            return samples[place]
        epoch = epoch if self.reshuffle_each_epoch else 0
        known = self._orders.get(source)
        if known is None or known[0] != epoch:
            known = epoch, _permute(len(samples), derive_seed(self.seed, "source", source, "epoch", epoch))
            self._orders[source] = known
        return samples[int(known[1][place])]


@lru_cache(maxsize=2)
def _permutation(count: int, seed: int, epoch: int) -> torch.Tensor:
    return _permute(count, derive_seed(seed, "epoch", epoch))


def _permute(count: int, seed: int) -> torch.Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
