"""Records that are encoded as training needs them: streams of samples, shuffled, and the first ones held out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from cfgc_runtime.data.encode import check, encode
from cfgc_runtime.data.mixing import Mixture
from cfgc_runtime.data.reading import read_records
from cfgc_runtime.data.records import BadRecordError
from cfgc_runtime.data.rows import Row
from cfgc_runtime.data.split import kept_of
from cfgc_runtime.data.streaming import ShuffledStream
from cfgc_runtime.data.tokenizers import load_tokenizer
from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.seeding import derive_seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfgc_runtime.data.config import Data, Source
    from cfgc_runtime.data.encode import Encoded
    from cfgc_runtime.data.records import Record
    from cfgc_runtime.data.tokenizers import Tokenizer

Item: TypeAlias = "Row | tuple[Record, Source]"
"""A packed sample, or the record that a padded one is made of once it is its turn."""


@dataclass(frozen=True)
class Parts:
    """Sources that follow one another in one stream; ``held_out`` of its first samples are not trained on."""

    sources: tuple[Source, ...]
    held_out: int


def parts_of(data: Data) -> tuple[Parts, ...]:
    """The streams that are trained on: one for each source of a mixture, else one of all sources."""
    sources = tuple(source for source in data.sources if source.split == "train")
    has_own = len(sources) < len(data.sources)
    held_out = data.max_eval_samples if data.eval_fraction > 0 and not has_own else 0
    if data.mixing.by == "none":
        return (Parts(sources, held_out),)
    count = len(sources)
    return tuple(Parts((source,), (held_out + count - 1 - at) // count) for at, source in enumerate(sources))


class Samples:
    """Makes samples of records. Each process has its own, made when it first needs one.

    The first record that cannot be used ends the run: processes that each read from where they are, again in each epoch
    and after each start, would not count the same ones, so that nobody could say which record is one too many.
    """

    def __init__(self, data: Data) -> None:
        self._data = data
        self.tokenizer: Tokenizer = load_tokenizer(data.tokenizer)

    def items(self, sources: Sequence[Source]) -> Iterator[Item]:
        """The samples of ``sources`` in order."""
        if self._data.packing:
            return pack(self._encoded(sources), self._data.sequence_length)
        return self._records(sources)

    def row(self, item: Item) -> Row:
        """The sample. Raises ``Failure`` when its record cannot be encoded."""
        if isinstance(item, Row):
            return item
        record, source = item
        found = self._encode(record, source)
        longest = self._data.sequence_length + 1
        if len(found.tokens) > longest and not self._data.truncation:
            raise Failure(
                NO_INPUT,
                f"{record.place}: {len(found.tokens):,} tokens do not fit into a sample of {longest - 1:,}; raise "
                "`data.sequence_length`, or cut with `data.truncation = true`",
            )
        trained = None if found.trained is None else np.array(found.trained[:longest])
        return Row(np.array(found.tokens[:longest]), trained)

    def _records(self, sources: Sequence[Source]) -> Iterator[tuple[Record, Source]]:
        for source in sources:
            for record in read_records(source):
                try:
                    check(record, source)
                except BadRecordError as error:
                    raise _unusable(record, error) from None
                yield record, source

    def _encoded(self, sources: Sequence[Source]) -> Iterator[Encoded]:
        return (self._encode(record, source) for record, source in self._records(sources))

    def _encode(self, record: Record, source: Source) -> Encoded:
        try:
            return encode(record, source, self.tokenizer, self._data.chat_template)
        except BadRecordError as error:
            raise _unusable(record, error) from None


def _unusable(record: Record, error: BadRecordError) -> Failure:
    mend = "mend it, or set `streaming.enabled = false` and `max_bad_records` under [data]"
    return Failure(NO_INPUT, f"{record.place}: {error} (bad records end the run; {mend})")


def pack(documents: Iterator[Encoded], length: int) -> Iterator[Row]:
    """Documents one after the other, cut: the last token of a sample is the first of the next one.

    Where none of the tokens to predict is trained on there is no sample.
    """
    tokens: list[int] = []
    trained: list[bool] = []
    for document in documents:
        tokens += document.tokens
        trained += document.trained or [True] * len(document.tokens)
        start = 0
        while len(tokens) - start > length:
            stop = start + length + 1
            if any(trained[start + 1 : stop]):
                yield Row(np.array(tokens[start:stop]), np.array(trained[start:stop]))
            start += length
        del tokens[:start], trained[:start]


class TrainStreams:
    """Training samples by their position in the run, to be asked for in rising order."""

    def __init__(self, data: Data) -> None:
        self._samples = Samples(data)
        self._parts = parts_of(data)
        self._mixture = Mixture(data.mixing.shares or (1.0,), data.shuffle_seed, data.shuffle)
        limits = kept_of(data, data.mixing.shares, len(self._parts))
        self._streams = [self._stream(data, number, limit) for number, limit in enumerate(limits)]

    def row(self, position: int) -> tuple[int, Row]:
        """A number that no other sample of the streams has, and the sample."""
        source, count = self._mixture.draw(position)
        number, item = self._streams[source].take(count)
        return (self._parts[source].held_out + number) * len(self._parts) + source, self._samples.row(item)

    def _stream(self, data: Data, number: int, limit: int | None) -> ShuffledStream[Item]:
        part = self._parts[number]
        stop = None if limit is None else part.held_out + limit

        def start() -> Iterator[Item]:
            return islice(self._samples.items(part.sources), part.held_out, stop)

        seed = derive_seed(data.shuffle_seed, "part", number)
        return ShuffledStream(start, data.streaming.buffer_size, seed, data.reshuffle_each_epoch)


class HeldOutRows:
    """The samples that evaluations use, read once: at most ``max_eval_samples``."""

    def __init__(self, data: Data) -> None:
        self._samples = Samples(data)
        self._items: list[Item] = []
        own = tuple(source for source in data.sources if source.split == "eval")
        for part in (Parts(own, data.max_eval_samples),) if own else parts_of(data):
            found = list(islice(self._samples.items(part.sources), part.held_out))
            if len(found) < part.held_out and not own:
                raise Failure(
                    NO_INPUT,
                    f"too little data: the first {part.held_out:,} samples are held out, and the stream of "
                    f"{', '.join(f'`{source.name}`' for source in part.sources)} has {len(found):,}",
                )
            self._items += found

    def __len__(self) -> int:
        return len(self._items)

    def row(self, index: int) -> Row:
        """Sample ``index``."""
        return self._samples.row(self._items[index])
