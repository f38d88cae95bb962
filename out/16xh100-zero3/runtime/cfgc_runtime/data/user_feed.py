"""Samples of the user's own code: their order, their random numbers and their batches are the run's."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset, default_collate

from cfgc_runtime.data.loading import Failed, Loaded, loaded, loader
from cfgc_runtime.data.order import HeldOutOrder, TrainOrder, micro_steps
from cfgc_runtime.data.samples import MicroBatch
from cfgc_runtime.errors import INTERNAL, NO_INPUT, Failure
from cfgc_runtime.seeding import derive_seed, restore_rng_state, rng_state
from cfgc_runtime.wiring import as_user_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.utils.data import DataLoader

    from cfgc_runtime.config import Config
    from cfgc_runtime.world import World


@dataclass(frozen=True)
class SampleFingerprint:
    """How many samples there are; ``sha256`` covers the first, the middle and the last of each split."""

    samples: int
    held_out: int
    sha256: str

    def as_json(self) -> dict[str, int | str]:
        """For a checkpoint, and for a message that names the amount."""
        return asdict(self)


@dataclass(frozen=True)
class UserFeed:
    """``train_set`` and ``held_out_set`` are what the user's function gave: anything with a length and items."""

    config: Config
    world: World
    train_set: Any
    held_out_set: Any
    fingerprint: SampleFingerprint

    @property
    def held_out(self) -> int:
        """Samples of the split ``evaluation``, over all ranks."""
        return self.fingerprint.held_out

    @property
    def vocabulary(self) -> int:
        """Only the user's code knows."""
        return 0

    @property
    def end(self) -> int:
        """Only the user's code knows; the compiler refuses penalties that would ask."""
        return 0

    def train(self, steps: range) -> Iterator[MicroBatch]:
        """Samples in the order of the plan."""
        batch, data = self.config.BATCH, self.config.DATA
        order = TrainOrder(
            train=self.fingerprint.samples,
            batch=batch,
            ranks=self.world.size,
            seed=data.shuffle_seed,
            shuffle=data.shuffle,
            reshuffle_each_epoch=data.reshuffle_each_epoch,
        )
        dataset = _TrainSet(self.train_set, order, self.world.rank, self.config.EXPERIMENT.seed)
        return loaded(loader(dataset, micro_steps(batch, steps), data, persistent=False))

    def evaluation(self) -> Iterator[MicroBatch]:
        """Held-out samples in their own order; every rank gets equally many batches, padded with weight 0."""
        return loaded(self._evaluation)

    @cached_property
    def _evaluation(self) -> DataLoader[Loaded]:
        """Kept from one evaluation to the next, and with it the workers that the plan wants kept."""
        said, data = self.config.EVALUATION, self.config.DATA
        order = HeldOutOrder(self.held_out, said.micro_batch_size, self.world.size)
        dataset = _HeldOutSet(self.held_out_set, order, self.world.rank, self.config.EXPERIMENT.seed)
        return loader(dataset, order.batches(said.max_batches), data, persistent=data.persistent_workers)


class _TrainSet(Dataset[Loaded]):
    """Item i is micro step i of the whole run, counted from step 0."""

    def __init__(self, samples: Any, order: TrainOrder, rank: int, seed: int) -> None:
        self._samples, self._order, self._rank, self._seed = samples, order, rank, seed

    def __getitem__(self, index: int) -> Loaded:
        step, micro = divmod(index, self._order.batch.gradient_accumulation_steps)
        samples = self._order.indices(step, micro, self._rank)
        return _collated(self._samples, samples, [1.0] * len(samples), (self._seed, "sample", step))


class _HeldOutSet(Dataset[Loaded]):
    """Item i is this rank's i-th batch of held-out samples."""

    def __init__(self, samples: Any, order: HeldOutOrder, rank: int, seed: int) -> None:
        self._samples, self._order, self._rank, self._seed = samples, order, rank, seed

    def __getitem__(self, index: int) -> Loaded:
        return _collated(self._samples, *self._order.batch(index, self._rank), (self._seed, "held-out sample"))


def load_user_feed(config: Config, world: World, build: Callable[[str], Any]) -> UserFeed:
    """Make both splits. Raises ``Failure`` when they are no datasets, too small, or no dictionaries of tensors."""
    target, most = config.DATA.target, config.DATA
    train_set = _built(build, "train", target)
    wanted = config.EVALUATION.at_end or config.EVALUATION.every_steps > 0
    held_out_set = _built(build, "evaluation", target) if wanted else ()
    samples = min(len(train_set), most.max_train_samples or len(train_set))
    held_out = min(len(held_out_set), most.max_eval_samples or len(held_out_set))
    if samples < config.BATCH.global_batch_size:
        raise Failure(
            NO_INPUT,
            f"too little data: {target} gave {samples:,} training samples, and one step takes "
            f"{config.BATCH.global_batch_size:,}",
        )
    digest = hashlib.sha256()
    for name, dataset, count in (("train", train_set, samples), ("held-out", held_out_set, held_out)):
        for index in sorted({0, count // 2, count - 1}) if count else ():
            _probe(dataset, index, (config.EXPERIMENT.seed, name), digest)
    fingerprint = SampleFingerprint(samples, held_out, digest.hexdigest())
    return UserFeed(config, world, train_set, held_out_set, fingerprint)


def _built(build: Callable[[str], Any], split: str, target: str) -> Any:
    with as_user_code(f"making the samples of {target}, split {split}"):
        dataset = build(split)
    if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        kind = type(dataset).__qualname__
        raise Failure(
            INTERNAL,
            f"{target} gave a {kind} for the split {split}, and a dataset with __len__ and __getitem__ is due: the run "
            "decides which sample comes when, so that it can go on from any step",
        )
    return dataset


def _probe(dataset: Any, index: int, seed: tuple[int | str, ...], digest: Any) -> None:
    found = _collated(dataset, [index], [1.0], seed)
    if isinstance(found, Failed):
        raise Failure(found.code, found.message)
    for name, value in sorted(found.batch.items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().tobytes())


def _collated(dataset: Any, samples: Sequence[int], weights: list[float], seed: tuple[int | str, ...]) -> Loaded:
    """The samples as one batch; each draws random numbers of its own, whichever process makes it."""
    try:
        with as_user_code(f"making the samples {', '.join(map(str, samples))}"):
            with _own_random_numbers():
                items = [_item(dataset, sample, (*seed, sample)) for sample in samples]
            batch = default_collate(items)
        return MicroBatch(list(samples), _checked(batch), torch.tensor(weights))
    except Failure as failure:
        return Failed(failure.code, str(failure))


def _item(dataset: Any, sample: int, seed: tuple[int | str, ...]) -> Any:
    own = derive_seed(int(seed[0]), *seed[1:])
    random.seed(own)
    torch.manual_seed(own)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(own % 2**32)
    return dataset[sample]


@contextmanager
def _own_random_numbers() -> Iterator[None]:
    """What is drawn inside changes nothing of what training draws."""
    before = rng_state()
    try:
        yield
    finally:
        restore_rng_state(before)


def _checked(batch: object) -> dict[str, torch.Tensor]:
    if not isinstance(batch, Mapping) or not all(isinstance(value, torch.Tensor) for value in batch.values()):
        raise Failure(INTERNAL, f"a sample is a dictionary of tensors and numbers, and this is {_shown(batch)}")
    if "labels" not in batch:
        raise Failure(INTERNAL, f"a sample has `labels`, which the loss is taken of; this one has {', '.join(batch)}")
    return dict(batch)


def _shown(batch: object) -> str:
    if not isinstance(batch, Mapping):
        return f"a {type(batch).__qualname__}"
    odd = next(name for name, value in batch.items() if not isinstance(value, torch.Tensor))
    return f"a dictionary whose `{odd}` is a {type(batch[odd]).__qualname__}"
