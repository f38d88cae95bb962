"""Micro batches by their number, read ahead by worker processes where the plan says so."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch.utils.data import DataLoader, Dataset

from cfgc_runtime.data.order import HeldOutOrder, Order, positions
from cfgc_runtime.data.samples import MicroBatch, collate
from cfgc_runtime.data.streams import TrainStreams
from cfgc_runtime.errors import Failure
from cfgc_runtime.signals import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfgc_runtime.config import Batch
    from cfgc_runtime.data.config import Data
    from cfgc_runtime.data.rows import Rows


@dataclass(frozen=True)
class Failed:
    """A ``Failure`` on its way out of a worker process, which exceptions leave without their exit code."""

    code: int
    message: str


Loaded: TypeAlias = "MicroBatch | Failed"


class IndexedSet(Dataset[Loaded]):
    """Item i is micro step i of the whole run, counted from step 0; its samples are found by their numbers."""

    def __init__(self, rows: Rows, order: Order, batch: Batch, rank: int, data: Data, pad: int) -> None:
        self._rows, self._order, self._rank, self._data, self._pad = rows, order, rank, data, pad
        self._accumulation = batch.gradient_accumulation_steps

    def __getitem__(self, index: int) -> Loaded:
        samples = self._order.indices(*divmod(index, self._accumulation), self._rank)
        rows = [self._rows.row(sample) for sample in samples]
        return collate(rows, samples, [1.0] * len(samples), self._data, self._pad)


class StreamedSet(Dataset[Loaded]):
    """The same over streams; each process opens its own and reads all of it.

    Packed samples are encoded by every process, as only that says where they begin; padded ones where they are used.
    """

    def __init__(self, batch: Batch, ranks: int, rank: int, data: Data, pad: int) -> None:
        self._batch, self._ranks, self._rank, self._data, self._pad = batch, ranks, rank, data, pad
        self._streams: TrainStreams | None = None

    def __getitem__(self, index: int) -> Loaded:
        step, micro = divmod(index, self._batch.gradient_accumulation_steps)
        try:
            self._streams = self._streams or TrainStreams(self._data)
            places = positions(self._batch, self._ranks, step, micro, self._rank)
            found = [self._streams.row(place) for place in places]
        except Failure as failure:
            return Failed(failure.code, str(failure))
        samples = [sample for sample, _ in found]
        return collate([row for _, row in found], samples, [1.0] * len(samples), self._data, self._pad)


class HeldOutSet(Dataset[Loaded]):
    """Item i is this rank's i-th batch of held-out samples; what only fills a batch up has weight 0."""

    def __init__(
        self, rows: Rows, samples: Sequence[int], order: HeldOutOrder, rank: int, data: Data, pad: int
    ) -> None:
        self._rows, self._samples, self._order, self._rank = rows, samples, order, rank
        self._data, self._pad = data, pad

    def __getitem__(self, index: int) -> Loaded:
        places, weights = self._order.batch(index, self._rank)
        samples = [self._samples[place] for place in places]
        try:
            rows = [self._rows.row(sample) for sample in samples]
        except Failure as failure:
            return Failed(failure.code, str(failure))
        return collate(rows, samples, weights, self._data, self._pad)


def loader(dataset: Dataset[Loaded], sampler: range, data: Data, *, persistent: bool) -> DataLoader[Loaded]:
    """Items ``sampler`` of ``dataset``, in that order whatever the number of workers."""
    workers: dict[str, Any] = {}
    if data.num_workers:
        workers = {"prefetch_factor": data.prefetch_factor, "persistent_workers": persistent}
        workers["multiprocessing_context"] = "fork"  # the plan's values are of no module that could be imported
        workers["worker_init_fn"] = _begin
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=sampler,
        num_workers=data.num_workers,
        pin_memory=data.pin_memory,
        generator=torch.Generator(),  # else the loader draws from the global one, and a resumed run would differ
        **workers,
    )


def _begin(_worker: int) -> None:
    """Begin as a worker: it ends with its rank, however that ends, so that it does not keep the run directory."""
    die_with_parent(signal.SIGKILL)


def loaded(batches: DataLoader[Loaded]) -> Iterator[MicroBatch]:
    """The micro batches. Raises ``Failure`` where a worker met one."""
    for one in batches:
        if isinstance(one, Failed):
            raise Failure(one.code, one.message)
        yield one
