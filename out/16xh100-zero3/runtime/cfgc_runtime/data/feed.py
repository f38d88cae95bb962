"""What the loop takes its micro batches from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from cfgc_runtime.data.loading import HeldOutSet, IndexedSet, StreamedSet, loaded, loader
from cfgc_runtime.data.mixing import Mixture
from cfgc_runtime.data.order import HeldOutOrder, MixedOrder, TrainOrder, micro_steps
from cfgc_runtime.data.prepare import prepare
from cfgc_runtime.data.rows import JoinedRows, PackedRows, PaddedRows
from cfgc_runtime.data.split import check_apart, split_samples
from cfgc_runtime.data.streams import HeldOutRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch.utils.data import DataLoader, Dataset

    from cfgc_runtime.config import Config
    from cfgc_runtime.data.config import Data
    from cfgc_runtime.data.files import Fingerprint
    from cfgc_runtime.data.loading import Loaded
    from cfgc_runtime.data.order import Order
    from cfgc_runtime.data.prepare import Prepared
    from cfgc_runtime.data.rows import Documents, Rows
    from cfgc_runtime.data.samples import MicroBatch
    from cfgc_runtime.data.split import Split
    from cfgc_runtime.data.tokenizers import Vocabulary
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.world import World


class Contents(Protocol):
    """What there is to read, as far as it was looked at: of equal ones training is taken to be the same."""

    def as_json(self) -> dict[str, int | str]:
        """For a checkpoint, and for a message that names the amount."""
        ...


class Feed(Protocol):
    """One rank's samples: a pure function of seed, step and rank, whatever the number of workers."""

    @property
    def fingerprint(self) -> Contents:
        """What was read; equal on all ranks, and compared with what a checkpoint was trained on."""
        ...

    @property
    def held_out(self) -> int:
        """Samples that are never trained on, over all ranks."""
        ...

    @property
    def vocabulary(self) -> int:
        """Token ids that samples may have; 0 is unknown."""
        ...

    @property
    def end(self) -> int:
        """The token that ends a text; 0 where no tokenizer of the plan says it, and then no penalty asks."""
        ...

    def train(self, steps: range) -> Iterator[MicroBatch]:
        """The micro batches of the optimizer ``steps``, counted from 0, one after the other."""
        ...

    def evaluation(self) -> Iterator[MicroBatch]:
        """The held-out micro batches; equally many on every rank."""
        ...


@dataclass(frozen=True)
class SampleFeed:
    """Samples of a set by micro step; held-out ones by their numbers among ``rows``. ``notes`` are for the screen."""

    config: Config
    world: World
    fingerprint: Fingerprint
    samples: Dataset[Loaded]
    rows: Rows
    held_out_samples: Sequence[int]
    tokens: Vocabulary
    notes: tuple[str, ...]

    @property
    def held_out(self) -> int:
        """Over all ranks."""
        return len(self.held_out_samples)

    @property
    def vocabulary(self) -> int:
        """The tokenizer's."""
        return self.tokens.size

    @property
    def end(self) -> int:
        """The tokenizer's."""
        return self.tokens.end

    def train(self, steps: range) -> Iterator[MicroBatch]:
        """Samples in the order of the plan."""
        return loaded(loader(self.samples, micro_steps(self.config.BATCH, steps), self.config.DATA, persistent=False))

    def evaluation(self) -> Iterator[MicroBatch]:
        """Held-out samples in their own order."""
        return loaded(self._evaluation)

    @cached_property
    def _evaluation(self) -> DataLoader[Loaded]:
        """Kept from one evaluation to the next, and with it the workers that the plan wants kept."""
        said, world, data = self.config.EVALUATION, self.world, self.config.DATA
        order = HeldOutOrder(self.held_out, said.micro_batch_size, world.size)
        dataset = HeldOutSet(self.rows, self.held_out_samples, order, world.rank, data, self.tokens.pad)
        return loader(dataset, order.batches(said.max_batches), data, persistent=data.persistent_workers)


def load_feed(
    config: Config, run: RunDirectory, world: World, stop: Callable[[], bool], say: Callable[[str], None]
) -> Feed:
    """Prepare the data, and say what is to be known of it. Raises ``Failure`` when it cannot be used, or too little."""
    if world.rank == 0:
        check_apart(config.DATA)
    feed = make_feed(config, world, prepare(config, run, world, stop, say))
    for note in feed.notes:
        say(note)
    return feed


def make_feed(config: Config, world: World, prepared: Prepared) -> SampleFeed:
    """Samples of what was prepared, or streamed. Raises ``Failure`` when it is too little."""
    if config.DATA.streaming.enabled:
        return _streamed(config, world, prepared)
    data = config.DATA
    parts, own = _rows_of(prepared, data)
    rows = JoinedRows([*parts, *own])
    ranges = rows.ranges()
    evaluated = ranges[-1] if own else range(0)
    split = split_samples(ranges[: len(parts)], evaluated, data, config.BATCH.global_batch_size)
    tokens = prepared.vocabulary
    samples = IndexedSet(rows, _order(config, world, split), config.BATCH, world.rank, data, tokens.pad)
    notes = (*_mixture(data, split), *_cuts([*parts, *own], data))
    return SampleFeed(config, world, prepared.fingerprint, samples, rows, split.held_out, tokens, notes)


def _rows_of(prepared: Prepared, data: Data) -> tuple[list[Rows], list[Rows]]:
    """Samples of each part that is trained on, and those of the sources for evaluations, if there are any."""
    pairs = list(zip(data.sources, prepared.sources, strict=True))
    train = [files for source, files in pairs if source.split == "train"]
    own = [file for source, files in pairs if source.split == "eval" for file in files]
    if data.mixing.by == "none":
        train = [tuple(file for files in train for file in files)]
    return [_rows(files, data) for files in train], [_rows(own, data)] if own else []


def _rows(files: Sequence[Documents], data: Data) -> Rows:
    if data.packing:
        return PackedRows(files, data.sequence_length)
    return PaddedRows(files, data.sequence_length, data.truncation)


def _order(config: Config, world: World, split: Split) -> Order:
    data, batch = config.DATA, config.BATCH
    choices = (data.shuffle_seed, data.shuffle, data.reshuffle_each_epoch)
    if data.mixing.by == "none":
        return TrainOrder(len(split.train[0]), batch, world.size, *choices)
    mixture = Mixture(split.shares, data.shuffle_seed, data.shuffle)
    return MixedOrder(split.train, mixture, batch, world.size, *choices)


def _streamed(config: Config, world: World, prepared: Prepared) -> SampleFeed:
    data, tokens = config.DATA, prepared.vocabulary
    has_own = any(source.split == "eval" for source in data.sources)
    rows: Rows = HeldOutRows(data) if has_own or data.eval_fraction > 0 else JoinedRows([])
    samples = StreamedSet(config.BATCH, world.size, world.rank, data, tokens.pad)
    return SampleFeed(config, world, prepared.fingerprint, samples, rows, range(len(rows)), tokens, ())


def _mixture(data: Data, split: Split) -> Iterator[str]:
    if data.mixing.by == "none":
        return
    names = [source.name for source in data.sources if source.split == "train"]
    sizes = zip(names, split.shares, split.train, strict=True)
    yield "mixture: " + ", ".join(f"{name} {share:.2%} ({len(part):,} samples)" for name, share, part in sizes)


def _cuts(parts: Sequence[Rows], data: Data) -> Iterator[str]:
    packed = [part for part in parts if isinstance(part, PackedRows)]
    cuts = sum(part.cuts for part in packed)
    if empty := cuts - sum(map(len, packed)):
        yield f"{empty:,} of {cuts:,} packed samples are left out: none of their tokens is to be trained on"
    padded = [part for part in parts if isinstance(part, PaddedRows)]
    cut, left_out = sum(part.cut for part in padded), sum(part.left_out for part in padded)
    whole = sum(map(len, padded)) + left_out
    if cut:
        yield f"{cut:,} of {whole:,} documents are cut to {data.sequence_length:,} tokens"
    if left_out:
        yield f"{left_out:,} of {whole:,} documents are left out: nothing in their first tokens is to be trained on"
