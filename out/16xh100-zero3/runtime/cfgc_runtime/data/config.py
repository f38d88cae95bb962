"""The shape of ``DATA`` in a bundle's ``config.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from cfgc_runtime.config import NodePath


class Source(Protocol):
    """Files below ``path``: a pattern of ``include`` and none of ``exclude`` matches. ``path`` may be one file."""

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


class Tokenizer(Protocol):
    """How text becomes tokens. Bytes have an empty ``path``; an empty token is the one that the tokenizer names."""

    kind: Literal["bytes", "tokenizers", "transformers"]
    path: NodePath
    end_token: str
    pad_token: str


class Mixing(Protocol):
    """Sources are drawn by ``shares``, or by the number of their samples ^ ``exponent``, normalised."""

    by: Literal["none", "shares", "sizes"]
    shares: tuple[float, ...]
    exponent: float


class Streaming(Protocol):
    """Reading in order, without an index; a ``buffer_size`` of 1 keeps that order."""

    enabled: bool
    buffer_size: int


class Data(Protocol):
    """Where tokens come from. Lengths in tokens; a maximum of 0 means all."""

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
