"""What the loop takes its micro batches from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cfgc_runtime.data.corpus import VOCABULARY, Corpus, load_corpus
from cfgc_runtime.data.samples import Split, TrainOrder, eval_batches, split_samples, train_batches
from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgc_runtime.config import Config
    from cfgc_runtime.data.corpus import Fingerprint
    from cfgc_runtime.data.samples import MicroBatch
    from cfgc_runtime.world import World


class Feed(Protocol):
    """One rank's samples: a pure function of seed, step and rank, whatever the number of workers."""

    @property
    def fingerprint(self) -> Fingerprint:
        """What was read; equal on all ranks, and compared with what a checkpoint was trained on."""

    @property
    def held_out(self) -> int:
        """Samples that are never trained on, over all ranks."""

    def train(self, steps: range) -> Iterator[MicroBatch]:
        """The micro batches of the optimizer ``steps``, counted from 0, one after the other."""

    def evaluation(self) -> Iterator[MicroBatch]:
        """The held-out micro batches; equally many on every rank."""


@dataclass(frozen=True)
class TokenFeed:
    """Samples cut from one stream of tokens."""

    config: Config
    world: World
    corpus: Corpus
    split: Split

    @property
    def fingerprint(self) -> Fingerprint:
        """Of the files."""
        return self.corpus.fingerprint

    @property
    def held_out(self) -> int:
        """The end of the stream."""
        return self.split.held_out

    def train(self, steps: range) -> Iterator[MicroBatch]:
        """Samples in the order of the plan."""
        data = self.config.DATA
        order = TrainOrder(
            train=self.split.train,
            batch=self.config.BATCH,
            ranks=self.world.size,
            seed=data.shuffle_seed,
            shuffle=data.shuffle,
            reshuffle_each_epoch=data.reshuffle_each_epoch,
        )
        return train_batches(self.corpus.tokens, data, order, self.world.rank, steps)

    def evaluation(self) -> Iterator[MicroBatch]:
        """Held-out samples in their own order."""
        config, world = self.config, self.world
        return eval_batches(self.corpus.tokens, config.DATA, self.split, config.EVALUATION, world.rank, world.size)


def load_feed(config: Config, world: World) -> Feed:
    """Read the data. Raises ``Failure`` that names what is missing, unreadable or too little."""
    _check_vocabulary(config)
    corpus = load_corpus(config.DATA)
    split = split_samples(len(corpus.tokens), config.DATA, config.BATCH.global_batch_size)
    return TokenFeed(config, world, corpus, split)


def _check_vocabulary(config: Config) -> None:
    if config.MODEL.vocab_size < VOCABULARY:
        raise Failure(
            NO_INPUT, f"byte tokens need a vocabulary of {VOCABULARY}, the model has {config.MODEL.vocab_size}"
        )
