"""Which sample goes where: pure functions of (seed, step, micro step, rank), whatever the worker count.

A sample is ``sequence_length + 1`` tokens: the inputs are its first ``sequence_length`` tokens and the targets the
same ones shifted left by one, so the last token of a sample is the first of the next one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader, Dataset

from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.seeding import derive_seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgc_runtime.config import Batch, Data, Evaluation


@dataclass(frozen=True)
class Split:
    """Samples 0 … ``train`` - 1 train; the next ``held_out`` ones are never trained on."""

    train: int
    held_out: int
    first_held_out: int


def split_samples(tokens: int, data: Data, global_batch_size: int) -> Split:
    """Cut a stream of ``tokens`` into samples and hold the last ``eval_fraction`` of them out.

    Raises ``Failure`` when less than one optimizer step is left to train on.
    """
    samples = max(0, (tokens - 1) // data.sequence_length)
    held_out = math.ceil(samples * data.eval_fraction)
    first_held_out = samples - held_out
    train = _at_most(first_held_out, data.max_train_samples)
    if train < global_batch_size:
        raise Failure(
            NO_INPUT,
            f"too little data: {tokens:,} tokens make {train:,} training samples of {data.sequence_length} "
            f"({held_out:,} more are held out), and one step takes {global_batch_size:,}",
        )
    return Split(train, _at_most(held_out, data.max_eval_samples), first_held_out)


def _at_most(count: int, limit: int) -> int:
    return min(count, limit) if limit else count


@dataclass(frozen=True)
class TrainOrder:
    """The samples of every micro step. An epoch is as many whole global batches as fit into ``train``."""

    train: int
    batch: Batch
    ranks: int
    seed: int
    shuffle: bool
    reshuffle_each_epoch: bool

    def indices(self, step: int, micro: int, rank: int) -> list[int]:
        """Samples of ``rank`` in micro step ``micro`` of optimizer step ``step`` (both from 0)."""
        size = self.batch.micro_batch_size
        epoch, within = divmod(step, self.train // self.batch.global_batch_size)
        start = within * self.batch.global_batch_size + (micro * self.ranks + rank) * size
        places = range(start, start + size)
        if not self.shuffle:
            return list(places)
        order = _permutation(self.train, self.seed, epoch if self.reshuffle_each_epoch else 0)
        return order[places.start : places.stop].tolist()


@lru_cache(maxsize=2)
def _permutation(count: int, seed: int, epoch: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(derive_seed(seed, "epoch", epoch))
    return torch.randperm(count, generator=generator)


@dataclass(frozen=True)
class MicroBatch:
    """``samples`` says which ones they are; ``weights`` [micro batch] is 0 for those that only fill up the last batch.

    ``batch`` holds the keyword arguments of the model, such as ``input_ids`` int64 [micro batch, sequence_length], and
    ``labels``, which only the loss sees.
    """

    samples: list[int]
    batch: dict[str, torch.Tensor]
    weights: torch.Tensor


class _TrainSet(Dataset[MicroBatch]):
    """Item i is micro step i of the whole run, counted from step 0."""

    def __init__(self, tokens: torch.Tensor, length: int, order: TrainOrder, rank: int) -> None:
        self._tokens, self._length, self._order, self._rank = tokens, length, order, rank

    def __getitem__(self, index: int) -> MicroBatch:
        step, micro = divmod(index, self._order.batch.gradient_accumulation_steps)
        samples = self._order.indices(step, micro, self._rank)
        return _cut(self._tokens, self._length, samples, [1.0] * len(samples))


def train_batches(tokens: torch.Tensor, data: Data, order: TrainOrder, rank: int, steps: range) -> Iterator[MicroBatch]:
    """This rank's micro batches of the optimizer ``steps``, one after the other."""
    accumulation = order.batch.gradient_accumulation_steps
    loader = DataLoader(
        _TrainSet(tokens, data.sequence_length, order, rank),
        batch_size=None,
        sampler=range(steps.start * accumulation, steps.stop * accumulation),
        num_workers=data.num_workers,
        generator=torch.Generator(),  # else the loader draws from the global one, and a resumed run would differ
    )
    return iter(loader)


def eval_batches(
    tokens: torch.Tensor, data: Data, split: Split, evaluation: Evaluation, rank: int, ranks: int
) -> Iterator[MicroBatch]:
    """This rank's share of the held-out samples; every rank gets equally many batches, padded with weight 0."""
    size = evaluation.micro_batch_size
    batches = _at_most(math.ceil(split.held_out / (size * ranks)), evaluation.max_batches)
    for number in range(batches):
        places = range((number * ranks + rank) * size, (number * ranks + rank + 1) * size)
        samples = [split.first_held_out + place % split.held_out for place in places]
        weights = [1.0 if place < split.held_out else 0.0 for place in places]
        yield _cut(tokens, data.sequence_length, samples, weights)


def _cut(tokens: torch.Tensor, length: int, samples: list[int], weights: list[float]) -> MicroBatch:
    rows = torch.stack([tokens[sample * length : sample * length + length + 1] for sample in samples])
    rows = rows.long()
    return MicroBatch(samples, {"input_ids": rows[:, :-1], "labels": rows[:, 1:]}, torch.tensor(weights))
