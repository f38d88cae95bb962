"""A record becomes tokens, and which of them are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc_runtime.data.chat import messages_of, render
from cfgc_runtime.data.records import BadRecordError, text_of
from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgc_runtime.config import Data
    from cfgc_runtime.data.records import Record
    from cfgc_runtime.data.tokenizers import Tokenizer


@dataclass(frozen=True)
class Encoded:
    """One document. ``tokens`` ends with the end token; ``trained`` says of each token whether it is, None for all."""

    tokens: list[int]
    trained: list[bool] | None


def encode(record: Record, tokenizer: Tokenizer, data: Data) -> Encoded:
    """``record`` as ``data.format`` says. Raises ``BadRecordError`` when its fields are not what that needs."""
    fields = data.fields
    if data.format == "text":
        return Encoded([*tokenizer.encode(text_of(record, fields.text)), tokenizer.end], None)
    if data.format == "prompt":
        prompt = tokenizer.encode(text_of(record, fields.prompt))
        completion = [*tokenizer.encode(text_of(record, fields.completion)), tokenizer.end]
        return Encoded([*prompt, *completion], [False] * len(prompt) + [True] * len(completion))
    return _encode_chat(record, tokenizer, data)


def _encode_chat(record: Record, tokenizer: Tokenizer, data: Data) -> Encoded:
    template = data.chat_template or tokenizer.chat_template
    if not template:
        raise Failure(NO_INPUT, "the tokenizer has no chat template; write one as `chat_template` under [data]")
    if data.fields.messages not in record.fields:
        has = ", ".join(sorted(record.fields)) or "none"
        raise BadRecordError(f"no field `{data.fields.messages}` (there are: {has})")
    messages = messages_of(record.fields[data.fields.messages], data.fields.messages)
    rendered = render(template, messages, tokenizer.special_tokens)
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
