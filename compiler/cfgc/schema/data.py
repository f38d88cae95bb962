"""``[data]``: where tokens come from, in which order."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from cfgc.schema.field import Later, Section, numerics, resources
from cfgc.schema.values import Int, Path, Text, Texts, array_to_tuple

_FILES = Later("data", "leave it out; sources are text files, read one after the other")
_MIXING = Later("data", "leave the table out; sources are read one after the other, then shuffled")
_PACKED = Later("data", "leave it out; samples are packed to `sequence_length`, none is padded or cut")
_INDEXED = Later("data", "leave it out; every sample is found by its index, without a stream")


class Source(Section):
    """One tree of files, or a file."""

    name: Text = numerics(..., "Name in messages and metrics.", min_length=1)
    path: Path = numerics(..., "Directory of the files on the node, or one file.")
    include: Texts | None = numerics(
        None,
        "Patterns of the files to read, below `path`; `*` matches `/` too. Absent: what files of that kind are called.",
        min_length=1,
    )
    exclude: Texts = numerics((), "Patterns of the files to leave out, such as `test/*`.")
    kind: Literal["text", "jsonl", "parquet", "arrow", "huggingface", "tokens"] = numerics(
        "text", "Format of the files. A text file is one document; of the others, each record is."
    )
    field: Text = numerics("text", "Field of a record that holds its text.", min_length=1)
    weight: float | None = numerics(None, "Share of this source in a mixture.", unit="ratio", gt=0, later=_FILES)


Sources: TypeAlias = Annotated[tuple[Source, ...], BeforeValidator(array_to_tuple)]


class Tokenizer(Section):
    """Text to token ids."""

    kind: Literal["bytes", "tokenizers", "transformers"] = numerics(
        "bytes", "How text becomes tokens: its bytes, a tokenizer.json, or whatever transformers can load."
    )
    path: Path | None = numerics(
        None, "tokenizer.json (`tokenizers`) or the directory of the tokenizer (`transformers`), on the node."
    )
    end_token: Text | None = numerics(
        None, "Token that ends a document, such as `</s>`. Absent: the one that the tokenizer names.", min_length=1
    )
    pad_token: Text | None = numerics(
        None, "Token that fills a sample up. Absent: the tokenizer's own, or the end token.", min_length=1
    )


class Mixing(Section):
    """Weighted mixtures of sources."""

    enabled: bool | None = numerics(None, "Sample sources by weight.", later=_MIXING)
    temperature: float | None = numerics(None, "Flattens the weights.", unit="ratio", gt=0, later=_MIXING)


class Streaming(Section):
    """Reading without an index."""

    enabled: bool | None = numerics(None, "Read as a stream.", later=_INDEXED)
    buffer_size: Int | None = numerics(None, "Samples in the shuffle buffer.", unit="samples", gt=0, later=_INDEXED)
    max_samples: Int | None = numerics(
        None,
        "Samples to read; 0 is all.",
        unit="samples",
        ge=0,
        later=Later("data", "write `max_train_samples` under `[data]`"),
    )


class Data(Section):
    """Training and held-out samples."""

    sources: Sources = numerics(..., "Files to train on, in order.", min_length=1)
    tokenizer: Tokenizer = numerics(Tokenizer(), "Text to token ids.")
    sequence_length: Int = numerics(1024, "Tokens in a sample.", unit="tokens", gt=1)
    eval_fraction: float = numerics(0.01, "Share of the samples held out for evaluation.", unit="ratio", ge=0, lt=1)
    shuffle: bool = numerics(True, "Visit training samples in a random order.")
    shuffle_seed: Int | None = numerics(
        None, "Seed of that order. Absent: `experiment.seed`.", unit="seed", ge=0, lt=2**32
    )
    reshuffle_each_epoch: bool = numerics(True, "A new order in every pass.")
    max_train_samples: Int = numerics(0, "Training samples to keep; 0 keeps all.", unit="samples", ge=0)
    max_eval_samples: Int = numerics(0, "Held-out samples to keep; 0 keeps all.", unit="samples", ge=0)
    max_bad_records: Int = numerics(
        0, "Records that may be left out because they cannot be used; one more ends the run.", unit="records", ge=0
    )
    num_workers: Int = resources(
        0, "Reader processes per rank; 0 reads in the training process.", unit="processes", ge=0, le=128
    )
    padding_side: Literal["left", "right"] | None = numerics(None, "Where short samples are padded.", later=_PACKED)
    truncation: bool | None = numerics(None, "Cut long samples.", later=_PACKED)
    drop_last: bool | None = numerics(
        None,
        "Drop an incomplete last batch.",
        later=Later("data", "leave it out; an incomplete last batch is always dropped", (None, True)),
    )
    pin_memory: bool | None = resources(None, "Page-locked batches.", later=Later("data", "leave it out"))
    prefetch_factor: Int | None = resources(
        None, "Batches a worker reads ahead.", unit="batches", gt=0, later=Later("data", "leave it out")
    )
    persistent_workers: bool | None = resources(
        None, "Keep workers between passes.", later=Later("data", "leave it out")
    )
    mixing: Mixing = numerics(Mixing(), "Weighted mixtures.")
    streaming: Streaming = numerics(Streaming(), "Reading without an index.")
