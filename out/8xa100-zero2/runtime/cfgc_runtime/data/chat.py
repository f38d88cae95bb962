"""Conversations as text: a chat template is rendered, and the assistant's turns are found in what it wrote.

A template that marks the assistant's text with ``{% generation %}`` says itself what is trained on. Any other is
rendered up to each of the assistant's turns and through it; what a turn added is trained on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cfgc_runtime.data.records import BadRecordError
from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MARKED = re.compile(r"\{%-?\s*generation\s*-?%\}")
_START, _STOP = "\U0010fffe", "\U0010ffff"
"""Put around what a template marks. They are no characters, so that no message holds them."""


@dataclass(frozen=True)
class Rendered:
    """A conversation as text; ``trained`` are the (start, stop) characters that the assistant wrote."""

    text: str
    trained: tuple[tuple[int, int], ...]


def render(template: str, messages: Sequence[Mapping[str, Any]], special_tokens: Mapping[str, str]) -> Rendered:
    """``messages`` as ``template`` writes them. Raises ``BadRecordError`` when it cannot, ``Failure`` if it is none."""
    said = {"messages": messages, "tools": None, "documents": None, **special_tokens}
    whole = _render(template, said)
    if _MARKED.search(template):
        return _take_marks(whole)
    spans: list[tuple[int, int]] = []
    for number, message in enumerate(messages):
        if message.get("role") != "assistant":
            continue
        before = _render(template, {**said, "messages": messages[:number], "add_generation_prompt": True})
        after = _render(template, {**said, "messages": messages[: number + 1]})
        if not (whole.startswith(after) and after.startswith(before)):
            raise BadRecordError(
                "the chat template writes a turn differently once another follows, so that the assistant's text cannot "
                "be found; mark it in the template with {% generation %}"
            )
        spans.append((len(before), len(after)))
    return Rendered(whole, tuple(spans))


def messages_of(value: object, name: str) -> list[Mapping[str, Any]]:
    """``value`` as messages, each with a role, one of them the assistant's. Raises ``BadRecordError``."""
    if not isinstance(value, (list, tuple)) or not value:
        raise BadRecordError(f"`{name}` is no list of messages")
    for message in value:
        if not (isinstance(message, dict) and isinstance(message.get("role"), str)):
            raise BadRecordError(f"a message in `{name}` has no role")
    if all(message["role"] != "assistant" for message in value):
        raise BadRecordError(f"`{name}` has no message of the assistant, so there is nothing to train on")
    return list(value)


def _take_marks(text: str) -> Rendered:
    spans: list[tuple[int, int]] = []
    parts: list[str] = []
    length = 0
    for position, piece in enumerate(re.split(f"[{_START}{_STOP}]", text)):
        if position % 2:
            spans.append((length, length + len(piece)))
        parts.append(piece)
        length += len(piece)
    return Rendered("".join(parts), tuple(spans))


def _render(template: str, values: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError

    try:
        return str(_compiled(template).render({"add_generation_prompt": False, **values}))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise BadRecordError(f"the chat template cannot render it: {error}") from None


@lru_cache(maxsize=4)
def _compiled(template: str) -> Any:  # jinja2.Template
    """With what templates of tokenizers expect, but for the clock: the same record gives the same text on any day."""
    from jinja2 import TemplateSyntaxError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

        def parse(self, parser: Any) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.CallBlock(self.call_method("mark"), [], [], body).set_lineno(line)

        def mark(self, caller: Any) -> str:
            return f"{_START}{caller()}{_STOP}"

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    try:
        return environment.from_string(template)
    except TemplateSyntaxError as error:
        raise Failure(NO_INPUT, f"the chat template is no Jinja template: line {error.lineno}: {error}") from None


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _refuse(message: str) -> str:
    raise BadRecordError(f"the chat template refuses it: {message}")
