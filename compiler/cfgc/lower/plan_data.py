"""The plan of the data: from files to samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cfgc.lower.plan_machine import NodePath


@dataclass(frozen=True)
class Source:
    """Files below ``path`` that match one of ``include`` and none of ``exclude`` (fnmatch over the posix path).

    ``path`` may be one file. A text file is a record. ``field`` of a record holds its text, or, as ``format`` says,
    other fields hold a prompt and its completion, or messages. ``split`` eval is never trained on.
    """

    name: str
    path: NodePath
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    kind: Literal["text", "jsonl", "parquet", "arrow", "huggingface", "tokens"]
    dataset_split: str
    field: str
    format: Literal["text", "prompt", "chat"]
    prompt_field: str
    completion_field: str
    messages_field: str
    split: Literal["train", "eval"]


@dataclass(frozen=True)
class Tokenizer:
    """How text becomes tokens. Bytes have an empty ``path``; an empty token is the one that the tokenizer names."""

    kind: Literal["bytes", "tokenizers", "transformers"]
    path: NodePath
    end_token: str
    pad_token: str


@dataclass(frozen=True)
class Mixing:
    """Which source a sample comes from: drawn by ``shares``, or by each source's samples ^ ``exponent``, normalised.

    ``shares`` are those of the training sources, in order; none by sizes, which only the node knows.
    """

    by: Literal["none", "shares", "sizes"]
    shares: tuple[float, ...]
    exponent: float


@dataclass(frozen=True)
class Streaming:
    """Reading in order, without an index. ``buffer_size`` is in samples; 1 keeps the order of the records."""

    enabled: bool
    buffer_size: int


@dataclass(frozen=True)
class Data:
    """Where tokens come from. Lengths in tokens; ``eval_fraction`` of the samples is held out; max_… 0 means all.

    Of ``max_bad_records``, 0 means none. Without ``packing`` a sample is a document. ``chat_template`` empty is the
    tokenizer's own.
    """

    target: str
    sources: tuple[Source, ...]
    tokenizer: Tokenizer
    max_bad_records: int
    sequence_length: int
    eval_fraction: float
    shuffle: bool
    shuffle_seed: int
    reshuffle_each_epoch: bool
    max_train_samples: int
    max_eval_samples: int
    packing: bool
    padding_side: Literal["left", "right"]
    pad_to: Literal["longest", "sequence_length"]
    truncation: bool
    chat_template: str
    num_workers: int
    pin_memory: bool
    prefetch_factor: int
    persistent_workers: bool
    mixing: Mixing
    streaming: Streaming
