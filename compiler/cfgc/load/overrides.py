"""The command line: ``a.b=1``, ``~a.b``, ``**.name=0``, ``a.b*=2``, ``group=option``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load import override_errors as errors
from cfgc.load.directives import RESERVED
from cfgc.load.document import Document
from cfgc.load.keys import parse_key
from cfgc.load.overlays import Choice, Dropped
from cfgc.load.override_value import parse_value
from cfgc.origin import Path
from cfgc.source import SourceFile, Span

COMMAND_LINE = "command line"
"""Logical name of an override's text."""
EVERYWHERE = "**."
"""Starts a key that means every leaf of that name."""

MAX_OVERRIDES = 200
"""Overrides of one command line."""
MAX_LENGTH = 10_000
"""Characters of one override."""

Operator = Literal["=", "+", "-", "*", "/", "~"]


@dataclass(frozen=True)
class Edit:
    """One override that changes values. ``value`` holds them under the key ``x``; None for an unset."""

    path: Path
    everywhere: bool
    operator: Operator
    key: Span
    value: Document | None = None


@dataclass(frozen=True)
class Parsed:
    """All overrides, left to right: what they choose and what they change."""

    choices: list[Choice | Dropped] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)


def parse_overrides(texts: Sequence[str]) -> tuple[Parsed, list[Diagnostic]]:
    """What ``texts`` ask for, and what is wrong with their form."""
    parsed = Parsed()
    problems: list[Diagnostic] = []
    if len(texts) > MAX_OVERRIDES:
        return parsed, [errors.too_many_overrides(len(texts), MAX_OVERRIDES)]
    for text in texts:
        try:
            step = parse_override(text)
        except Rejected as rejected:
            problems += rejected.diagnostics
            continue
        if isinstance(step, Edit):
            parsed.edits.append(step)
        else:
            parsed.choices.append(step)
    return parsed, problems


def meant_paths(texts: Sequence[str]) -> Iterator[Path]:
    """The keys that those of ``texts`` were to change which have no form that is known."""
    for text in texts:
        try:
            parse_override(text)
        except Rejected:
            found = re.search(r"(?<![\w-])[\w-]++(?:\.[\w-]++)+", text[:MAX_LENGTH])
            if found:
                yield tuple(found.group().split("."))


def _decoded(text: str) -> SourceFile:
    """``text`` as a source. Raises ``Rejected`` when the shell passed bytes that are no characters."""
    if text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text):
        return SourceFile(COMMAND_LINE, text)
    raise Rejected([errors.not_characters(SourceFile(COMMAND_LINE, text.encode(errors="replace").decode()))])


def parse_override(text: str) -> Edit | Choice | Dropped:
    """What ``text`` asks for. Raises ``Rejected`` when it has another form."""
    source = _decoded(text)
    if len(text) > MAX_LENGTH:
        raise Rejected([errors.too_long_override(source, MAX_LENGTH)])
    habit = errors.foreign_habit(source)
    if habit:
        raise Rejected([habit])
    if text.startswith("~"):
        return _removal(source)
    left, equals, right = _split(text)
    if not equals:
        raise Rejected([errors.no_equals_sign(source)])
    operator = _operator(left)
    key = left.removesuffix(operator).strip()
    path = _path(source, key)
    span = _key_span(source, key)
    if path[0] in RESERVED and not key.startswith(EVERYWHERE):
        raise Rejected([errors.directive(source, path, right.strip())])
    if len(path) == 1 and operator == "=" and not key.startswith(EVERYWHERE):
        option = right.strip()
        if not option:
            raise Rejected([errors.no_option(source, path[0])])
        return Choice(path[0], option, Span(source, len(left) + 1, len(text)), span, on_command_line=True)
    value = parse_value(source, key, len(left))
    return Edit(path, key.startswith(EVERYWHERE), operator, span, replace(value, source=source))


def _removal(source: SourceFile) -> Edit | Dropped:
    key = source.text[1:].strip()
    path = _path(source, key)
    span = _key_span(source, key)
    if len(path) == 1 and not key.startswith(EVERYWHERE):
        return Dropped(path[0], span)
    return Edit(path, key.startswith(EVERYWHERE), "~", span)


def _split(text: str) -> tuple[str, str, str]:
    """Before, at and after the first ``=`` outside quotes."""
    found = re.match(r"""((?:[^="']|"[^"]*"|'[^']*')*)=(.*)""", text, re.DOTALL)
    return (found.group(1), "=", found.group(2)) if found else (text, "", "")


def _operator(left: str) -> Operator:
    operators: tuple[Operator, ...] = ("+", "-", "*", "/")
    for operator in operators:
        if left.endswith(operator):
            return operator
    return "="


def _path(source: SourceFile, key: str) -> Path:
    path = parse_key(key.removeprefix(EVERYWHERE))
    if path is None:
        raise Rejected([errors.not_an_override_key(_key_span(source, key))])
    return path


def _key_span(source: SourceFile, key: str) -> Span:
    start = max(0, source.text.find(key))
    return Span(source, start, start + len(key))
