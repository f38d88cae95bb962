"""``[data]``: where tokens come from, in which order."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator
from pydantic_core import PydanticKnownError

from cfgc.schema.calls import Arguments, CallTarget
from cfgc.schema.field import Later, OnlyFor, Section, logistics, numerics, part, resources
from cfgc.schema.values import Int, Path, Text, Texts, array_to_tuple

_LIBRARIES = ("tokenizers", "transformers")


class Source(Section):
    """One tree of files, or a file."""

    name: Text = logistics(
        ...,
        "Name in messages and metrics.",
        why="It is a name in messages and metrics; a run that resumes asks for it again.",
        min_length=1,
    )
    path: Path = numerics(
        ..., "Directory of the files on the node, or one file.", why="Other files may hold other text."
    )
    include: Texts | None = numerics(
        None,
        "Patterns of the files to read, below `path`; `*` matches `/` too. Absent: what files of that kind are called.",
        why="It says which files are read.",
        min_length=1,
    )
    exclude: Texts = numerics(
        (), "Patterns of the files to leave out, such as `test/*`.", why="It says which files are read."
    )
    kind: Literal["text", "jsonl", "parquet", "arrow", "huggingface", "tokens"] = numerics(
        "text",
        "Format of the files. A text file is one document; of the others, each record is.",
        why="The same bytes make other text.",
    )
    dataset_split: Text = numerics(
        "train",
        "Split of a `huggingface` dataset that has several.",
        why="It says which records are read.",
        min_length=1,
    )
    field: Text = numerics(
        "text", "Field of a record that holds its text.", why="It says what text a record has.", min_length=1
    )
    format: Literal["text", "prompt", "chat"] = numerics(
        "text",
        "What a record is: text to go on with, a prompt and its completion (trained on alone), or a conversation "
        "(only the assistant's turns are trained on).",
        why="It says which tokens are trained on.",
    )
    prompt_field: Text = numerics("prompt", "Field of the prompt.", why="It says what text a record has.", min_length=1)
    completion_field: Text = numerics(
        "completion", "Field of the completion.", why="It says what text a record has.", min_length=1
    )
    messages_field: Text = numerics(
        "messages", "Field of a conversation's messages.", why="It says what text a record has.", min_length=1
    )
    split: Literal["train", "eval"] = numerics(
        "train",
        "`eval`: never trained on, and what evaluations use in place of a share of the others.",
        why="It says what is never trained on.",
    )
    weight: float | None = numerics(
        None,
        "Weight of this source in a mixture. Absent everywhere: the number of its samples.",
        why="It says how often its samples come up.",
        unit="ratio",
        gt=0,
    )


def _some(value: object) -> object:
    """An array as a tuple, with an element at least; the empty tuple is what own data has in its place."""
    if value == []:
        raise PydanticKnownError("too_short", {"field_type": "Tuple", "min_length": 1, "actual_length": 0})
    return array_to_tuple(value)


Sources: TypeAlias = Annotated[tuple[Source, ...], BeforeValidator(_some)]


class Tokenizer(Section):
    """Text to token ids."""

    kind: Literal["bytes", "tokenizers", "transformers"] = numerics(
        "bytes",
        "How text becomes tokens: its bytes, a tokenizer.json, or whatever transformers can load.",
        why="The same text becomes other tokens.",
    )
    path: Path | None = numerics(
        None,
        "A tokenizer.json (`tokenizers`) or the directory of the tokenizer (`transformers`), on the node.",
        why="The same text becomes other tokens.",
        only=OnlyFor(_LIBRARIES, required=True),
    )
    end_token: Text | None = numerics(
        None,
        "Token that ends a document, such as `</s>`. Absent: the one that the tokenizer names.",
        why="It stands between documents, and is trained on.",
        only=OnlyFor(_LIBRARIES),
        min_length=1,
    )
    pad_token: Text | None = numerics(
        None,
        "Token that fills a sample up. Absent: the tokenizer's own, or the end token.",
        why="It stands in samples.",
        only=OnlyFor(_LIBRARIES),
        min_length=1,
    )


class Mixing(Section):
    """Weighted mixtures of sources."""

    enabled: bool = numerics(
        False, "Draw each sample's source by weight; a source that ends starts over.", why="Other samples are drawn."
    )
    temperature: float = numerics(
        1.0,
        "Shares are weight^(1/temperature), normalised: above 1, small sources come up more often.",
        why="Other samples are drawn.",
        unit="ratio",
        ge=0.01,
        le=1e6,
    )


class Streaming(Section):
    """Reading without an index."""

    enabled: bool = numerics(
        False, "Read records in order as training needs them, nothing ahead.", why="Samples come in another order."
    )
    buffer_size: Int = numerics(
        10_000,
        "Samples in the buffer that shuffles a stream.",
        why="Samples come in another order.",
        unit="samples",
        gt=0,
        le=10_000_000,
    )


class Data(Section):
    """Training and held-out samples."""

    target: CallTarget | None = numerics(
        None,
        "Own samples in place of `sources`: `module:function`, called with (split, **arguments), gives a torch Dataset "
        "of dictionaries of tensors, `labels` among them.",
        why="Other samples are trained on.",
    )
    arguments: Arguments = numerics(
        {}, "Keyword arguments of that function.", why="They may change what samples that function gives."
    )
    sources: Sources = numerics(..., "Files to train on, in order.", why="They are what is trained on.")
    tokenizer: Tokenizer = part(Tokenizer(), "Text to token ids.")
    sequence_length: Int = numerics(
        1024, "Tokens in a sample.", why="Text is cut into other samples.", unit="tokens", gt=1
    )
    eval_fraction: float = numerics(
        0.01,
        "Share of the samples held out for evaluation.",
        why="It says how much is never trained on.",
        unit="ratio",
        ge=0,
        lt=1,
    )
    shuffle: bool = numerics(True, "Visit training samples in a random order.", why="Samples come in another order.")
    shuffle_seed: Int | None = numerics(
        None,
        "Seed of that order. Absent: `experiment.seed`.",
        why="Samples come in another order.",
        unit="seed",
        ge=0,
        lt=2**32,
    )
    reshuffle_each_epoch: bool = numerics(
        True, "A new order in every pass.", why="Samples of later passes come in another order."
    )
    max_train_samples: Int = numerics(
        0, "Training samples to keep; 0 keeps all.", why="It says what is trained on.", unit="samples", ge=0
    )
    max_eval_samples: Int = numerics(
        0,
        "Held-out samples to keep; 0 keeps all.",
        why="It decides how much of a stream is never trained on.",
        unit="samples",
        ge=0,
    )
    max_bad_records: Int = logistics(
        0,
        "Records that may be left out because they cannot be used; one more ends the run.",
        why="It decides whether the run ends; what is left out is the same.",
        unit="records",
        ge=0,
    )
    num_workers: Int = resources(
        0,
        "Reader processes per rank; 0 reads in the training process.",
        why="The same samples are read by other processes.",
        unit="processes",
        ge=0,
        le=128,
    )
    packing: bool = numerics(
        True,
        "Put documents one after the other and cut them into samples. Off: a document is a sample, padded.",
        why="The same text is cut into other samples.",
    )
    padding_side: Literal["left", "right"] = numerics(
        "right", "Where short samples are padded.", why="Tokens stand at other positions."
    )
    pad_to: Literal["longest", "sequence_length"] = resources(
        "longest",
        "How long padded samples become: as the longest of the micro batch, or always the same.",
        why="The same samples are padded further: memory and speed. No label stands there.",
    )
    truncation: bool = logistics(
        True,
        "Cut documents that are longer than a padded sample. Off: such a document is an error that names it.",
        why="It decides whether the run ends; what is cut is the same.",
    )
    chat_template: str | None = numerics(
        None,
        "Jinja template that makes a conversation text. Absent: the tokenizer's own.",
        why="The same conversation becomes other text.",
        min_length=1,
    )
    drop_last: bool | None = numerics(
        None,
        "Drop an incomplete last batch.",
        why="It says what is trained on.",
        later=Later("data", "leave it out; an incomplete last batch is always dropped", (None, True)),
    )
    pin_memory: bool = resources(
        False,
        "Copy batches to page-locked memory, from where a GPU fetches them faster.",
        why="The same samples are copied faster.",
    )
    prefetch_factor: Int = resources(
        2,
        "Micro batches that each worker reads ahead.",
        why="The same samples are read sooner.",
        unit="batches",
        gt=0,
        le=10_000,
    )
    persistent_workers: bool = resources(
        False,
        "Keep the workers of evaluations from one to the next.",
        why="The same samples are read by processes that stay.",
    )
    mixing: Mixing = part(Mixing(), "Weighted mixtures.")
    streaming: Streaming = part(Streaming(), "Reading without an index.")
