"""A record becomes tokens, and which of them are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc_runtime.data.chat import messages_of, render
from cfgc_runtime.data.records import BadRecordError, field_of, text_of
from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgc_runtime.data.config import Source
    from cfgc_runtime.data.records import Record
    from cfgc_runtime.data.tokenizers import Tokenizer


@dataclass(frozen=True)
class Encoded:
    """One document. ``tokens`` ends with the end token; ``trained`` says of each token whether it is, None for all."""

    tokens: list[int]
    trained: list[bool] | None


def encode(record: Record, source: Source, tokenizer: Tokenizer, chat_template: str) -> Encoded:
    """``record`` as ``source.format`` says; an empty ``chat_template`` is the tokenizer's own.

    Raises ``BadRecordError`` when the record's fields are not what that needs.
    """
    if source.format == "text":
        text = text_of(record, source.field, may_be_empty=source.kind == "text")
        return Encoded([*tokenizer.encode(text), tokenizer.end], None)
    if source.format == "prompt":
        prompt = tokenizer.encode(text_of(record, source.prompt_field))
        completion = [*tokenizer.encode(text_of(record, source.completion_field)), tokenizer.end]
        return Encoded([*prompt, *completion], [False] * len(prompt) + [True] * len(completion))
    return _encode_chat(record, source.messages_field, tokenizer, chat_template or tokenizer.chat_template)


def check(record: Record, source: Source) -> None:
    """Raise ``BadRecordError`` when the record's fields are not what ``source.format`` needs; encodes nothing."""
    if source.format == "text":
        text_of(record, source.field, may_be_empty=source.kind == "text")
    elif source.format == "prompt":
        text_of(record, source.prompt_field)
        text_of(record, source.completion_field)
    else:
        messages_of(field_of(record, source.messages_field), source.messages_field)


def _encode_chat(record: Record, name: str, tokenizer: Tokenizer, template: str) -> Encoded:
    if not template:
        raise Failure(NO_INPUT, "the tokenizer has no chat template; write one as `chat_template` under [data]")
    rendered = render(template, messages_of(field_of(record, name), name), tokenizer.special_tokens)
    tokens, places = tokenizer.encode_with_offsets(rendered.text)
    trained = [False] * len(tokens)
    for start, stop in rendered.trained:
        inside = [at for at, (first, last) in enumerate(places) if first < stop and last > start]
        for at in _up_to_end(inside, tokens, tokenizer.end):
            trained[at] = True
    return _ended(tokens, trained, tokenizer.end)


def _up_to_end(inside: Sequence[int], tokens: Sequence[int], end: int) -> Sequence[int]:
    """A turn's tokens up to its last end token, when it has one: what a template writes behind is nobody's words."""
    ends = [number for number, at in enumerate(inside) if tokens[at] == end]
    return inside[: ends[-1] + 1] if ends else inside


def _ended(tokens: list[int], trained: list[bool], end: int) -> Encoded:
    """With an end token behind, unless the last thing trained on is one."""
    if not any(trained):
        raise BadRecordError("the chat template leaves nothing of the assistant to train on")
    last = max(at for at, is_trained in enumerate(trained) if is_trained)
    if tokens[last] == end:
        return Encoded(tokens, trained)
    return Encoded([*tokens, end], [*trained, True])
