"""A YAML text becomes keys with places, as OmegaConf reads YAML: safe, bounded, each key once.

The events of PyYAML are composed here, so that depth and the copies that aliases make are counted as they grow: a small
file can stand for billions of values. Numbers like ``1e-5`` are numbers, as OmegaConf has them, and dates are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cfgc.deepspeed.config import Entry, Json
from cfgc.diagnostics import Rejected
from cfgc.importing import errors
from cfgc.importing.branches import Branch
from cfgc.importing.tree import decoded
from cfgc.source import SourceFile, Span

if TYPE_CHECKING:
    from types import ModuleType

MAX_DEPTH = 32
"""Nested tables and lists."""

MAX_VALUES = 20_000
"""Values of one file, copies that aliases make included."""

_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+)|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"
)
_INT = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)")
_SPECIAL = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
_TRUE, _FALSE = {"yes", "true", "on"}, {"no", "false", "off"}
_LONGEST_NUMBER = 400
_PLAIN_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!")


@dataclass(frozen=True)
class Document:
    """A file and its keys; what is in a list has no place of its own."""

    source: SourceFile
    root: Branch


class NoYamlError(Exception):
    """PyYAML is not installed: it is an extra."""


def yaml_module() -> ModuleType:
    """PyYAML. Raises ``NoYamlError``."""
    try:
        import yaml
    except ImportError:
        raise NoYamlError from None
    return yaml


def read_yaml(logical: str, data: bytes) -> Document:
    """The document of ``data``. Raises ``Rejected`` when it is not one table of keys in safe YAML."""
    source = decoded(logical, data)
    yaml = yaml_module()
    try:
        return Document(source, _Composer(source, yaml, yaml.parse(source.text, Loader=yaml.SafeLoader)).document())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        start = min(mark.index if mark else 0, len(source.text))
        helps = ("indent with spaces",) if "\\t" in str(error.problem) else ()
        raise Rejected([errors.not_yaml(Span(source, start, start), f"{error.problem}", helps)]) from None
    except yaml.reader.ReaderError as error:
        at = min(error.position, len(source.text))
        raise Rejected([errors.not_yaml(Span(source, at, at + 1), error.reason)]) from None
    except RecursionError:
        raise Rejected([errors.too_deep(Span(source, 0, 0), MAX_DEPTH)]) from None


@dataclass
class _Node:
    """A composed value: a scalar, a list, or a table of keys with the places of their names."""

    value: Json | list[_Node] | dict[str, tuple[Span, _Node]]
    span: Span
    size: int = 1


@dataclass
class _Composer:
    """Composes the events of one document."""

    source: SourceFile
    yaml: Any
    events: Iterator[Any]
    anchors: dict[str, _Node] = field(default_factory=dict)
    size: int = 0

    def document(self) -> Branch:
        node = None
        for event in self.events:
            if isinstance(event, self.yaml.DocumentStartEvent):
                if node is not None:
                    raise Rejected([errors.not_yaml(self.span(event), "a second document starts here")])
                node = self.node(next(self.events), 0)
        if node is None or node.value is None:
            raise Rejected([errors.not_a_table(Span(self.source, 0, 0), "it holds nothing")])
        if not isinstance(node.value, dict):
            raise Rejected([errors.not_a_table(node.span, "its top level is no table of keys")])
        return _branch(node)

    def span(self, event: Any) -> Span:
        return Span(self.source, event.start_mark.index, event.end_mark.index)

    def node(self, event: Any, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise Rejected([errors.too_deep(self.span(event), MAX_DEPTH)])
        if isinstance(event, self.yaml.AliasEvent):
            return self.alias(event)
        self.count(1, event)
        self.refuse_tag(event)
        before = self.size
        if isinstance(event, self.yaml.ScalarEvent):
            node = _Node(self.scalar(event), self.span(event))
        elif isinstance(event, self.yaml.SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.mapping(event, depth)
        node.size = self.size - before + 1
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def count(self, values: int, event: Any) -> None:
        self.size += values
        if self.size > MAX_VALUES:
            raise Rejected([errors.too_many(self.span(event), MAX_VALUES)])

    def alias(self, event: Any) -> _Node:
        node = self.anchors.get(event.anchor)
        if node is None:
            raise Rejected([errors.not_yaml(self.span(event), f"`*{event.anchor}` has no anchor above it")])
        self.count(node.size, event)
        return node

    def refuse_tag(self, event: Any) -> None:
        tag = getattr(event, "tag", None)
        if tag and tag not in _PLAIN_TAGS:
            raise Rejected([errors.tagged(self.span(event), str(tag))])

    def sequence(self, start: Any, depth: int) -> _Node:
        items: list[_Node] = []
        while not isinstance(event := next(self.events), self.yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return _Node(items, Span(self.source, start.start_mark.index, event.end_mark.index))

    def mapping(self, start: Any, depth: int) -> _Node:
        table: dict[str, tuple[Span, _Node]] = {}
        merged: list[_Node] = []
        while not isinstance(event := next(self.events), self.yaml.MappingEndEvent):
            key, at = self.node(event, depth + 1), self.span(event)
            value = self.node(next(self.events), depth + 1)
            if isinstance(key.value, list | dict):
                raise Rejected([errors.not_yaml(at, "a key is plain text")])
            name = at.text if isinstance(event, self.yaml.ScalarEvent) and event.implicit[0] else str(key.value)
            if name == "<<":
                merged += value.value if isinstance(value.value, list) else [value]
            elif name in table:
                raise Rejected([errors.twice(at, table[name][0], name)])
            else:
                table[name] = (at, value)
        span = Span(self.source, start.start_mark.index, event.end_mark.index)
        return _Node(self.with_merged(table, merged, span), span)

    def with_merged(
        self, table: dict[str, tuple[Span, _Node]], merged: list[_Node], span: Span
    ) -> dict[str, tuple[Span, _Node]]:
        """``<<``: what the table does not say itself, the first source first."""
        found = dict(table)
        for node in merged:
            if not isinstance(node.value, dict):
                raise Rejected([errors.not_yaml(span, "`<<` takes a table, or a list of tables")])
            found = {**node.value, **found}
        return found

    def scalar(self, event: Any) -> Json:
        if not event.implicit[0] or event.tag == "tag:yaml.org,2002:str":
            return event.value
        return plain_value(event.value)


def plain_value(text: str) -> Json:
    """What a word without quotes means."""
    lower = text.lower() if text in (text.lower(), text.upper(), text.capitalize(), ".NaN", ".Inf") else text
    if lower in ("", "~", "null"):
        return None
    if lower in _TRUE | _FALSE:
        return lower in _TRUE
    if lower in _SPECIAL:
        return _SPECIAL[lower]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return _integer(text.replace("_", "").lower())
    return float(text.replace("_", "")) if _FLOAT.fullmatch(text) else text


def _integer(text: str) -> Json:
    digits = text.lstrip("+-")
    base = {"0b": 2, "0x": 16}.get(digits[:2], 8 if len(digits) > 1 and digits[0] == "0" else 10)
    try:
        return int(text, base)
    except ValueError:
        return text


def _branch(node: _Node) -> Branch:
    assert isinstance(node.value, dict), "the caller looked"
    return {
        name: _branch(inner) if isinstance(inner.value, dict) and inner.value else Entry(_plain(inner), inner.span, at)
        for name, (at, inner) in node.value.items()
    }


def _plain(node: _Node) -> Json:
    if isinstance(node.value, list):
        return [_plain(item) for item in node.value]
    if isinstance(node.value, dict):
        return {name: _plain(inner) for name, (_, inner) in node.value.items()}
    return node.value
