"""A ds_config's text becomes a ``Config``: JSON or HJSON, as DeepSpeed reads it, with the place of every key.

DeepSpeed reads its config with the hjson library and refuses keys that are written twice. What this reader takes, and
the values it gives, are that library's; but ``5e8`` stays a float, and a mistake is said with its place. A number that
neither a float nor 64 bits hold becomes an infinity.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cfgc.deepspeed import reading_errors as errors
from cfgc.deepspeed.config import Config, Entry, Json, Path
from cfgc.deepspeed.tokens import Tokens
from cfgc.diagnostics import Label, Rejected
from cfgc.source import NotUtf8Error, SourceFile, Span, decode_source

MAX_BYTES = 1 << 20
"""The largest ds_config that is read; a real one has a few thousand bytes."""

_SINGLE = re.compile(r"""\s*(?:"[^"\n]*"|'[^'\n]*'|[^\s:=]+)\s*""")
"""A text that is one word."""

MAX_DEPTH = 32
"""Nested tables and arrays."""


def read_config(logical: str, data: bytes) -> Config:
    """The config that ``data`` holds. Raises ``Rejected`` when it is no table of keys."""
    if len(data) > MAX_BYTES:
        raise Rejected([errors.unreadable(logical, f"it is larger than {MAX_BYTES >> 20} MiB, which no ds_config is")])
    return parse_config(_decoded(logical, data))


def parse_config(source: SourceFile) -> Config:
    """The config of a text. Raises ``Rejected`` when it is no table of keys."""
    return _Reading(Tokens(source)).config()


def config_of(tree: Mapping[str, Any], logical: str = "ds_config.json") -> Config:
    """The config of a tree that JSON can write, one key a line."""
    return parse_config(SourceFile(logical, json.dumps(tree, indent=2) + "\n"))


def _decoded(logical: str, data: bytes) -> SourceFile:
    try:
        return decode_source(logical, data)
    except NotUtf8Error as error:
        raise Rejected([errors.not_utf8(error.readable, error.what, error.offset)]) from None


@dataclass
class _Open:
    """A table or array that is being read.

    ``at`` is its own path and ``inside`` the one that its keys follow; both are None where nothing has a path, which is
    inside an array.
    """

    value: dict[str, Json] | list[Json]
    start: int
    at: Path | None
    inside: Path | None
    braces: bool = True


@dataclass
class _Reading:
    """Reads one text, with a stack of its own: no depth of nesting can exhaust Python's."""

    tokens: Tokens
    entries: dict[Path, Entry] = field(default_factory=dict)
    repeated: list[tuple[Path, Span]] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)

    def config(self) -> Config:
        self._open_root()
        while self.stack:
            self._step(self.stack[-1])
        if self.tokens.peek():
            word = self.tokens.word()
            helps = ("a file holds one table: remove what follows its closing brace",)
            raise self.tokens.fail(word.start, word.end, f"`{word.text}` follows the end of the config", helps)
        return Config(self.tokens.source, self.entries, repeated=tuple(self.repeated))

    def _open_root(self) -> None:
        tokens = self.tokens
        tokens.at = 1 if tokens.text.startswith("\ufeff") else 0
        first = tokens.peek()
        what = "" if first else "holds nothing"
        if first == "[":
            what = "is an array"
        elif first not in {"", "{"} and _SINGLE.fullmatch(tokens.text, tokens.at):
            what = "is a single value"
        if what:
            raise Rejected([errors.not_a_table(tokens.source, what, tokens.word() if first else None)])
        self.stack.append(_Open({}, tokens.at, at=None, inside=(), braces=first == "{"))
        tokens.at += first == "{"

    def _step(self, table: _Open) -> None:
        """One key with its value, one element, or the end of ``table``."""
        char = self.tokens.peek()
        if char == _end_of(table):
            self._close(table)
        elif not char:
            raise self._unfinished(table)
        elif isinstance(table.value, list):
            self._element(table.value)
        else:
            self._key(table.value, table.inside)

    def _element(self, array: list[Json]) -> None:
        start = self.tokens.at
        value = self._value()
        array.append(value)
        if isinstance(value, dict | list):
            self.stack.append(_Open(value, start, at=None, inside=None))
        else:
            self._comma()

    def _key(self, table: dict[str, Json], inside: Path | None) -> None:
        name, span = self.tokens.key()
        self._colon(name, span)
        if name in table:
            self._forget(table, name, inside, span)
        start = self.tokens.at
        value = table[name] = self._value(span)
        path = None if inside is None else (*inside, name)
        if path is not None:
            self.entries[path] = Entry(value, Span(self.tokens.source, start, self.tokens.at), span, path)
        if isinstance(value, dict | list):
            self.stack.append(_Open(value, start, at=path, inside=path if isinstance(value, dict) else None))
        else:
            self._comma()

    def _colon(self, name: str, span: Span) -> None:
        tokens = self.tokens
        if tokens.peek() != ":":
            found = tokens.word()
            other = Label(found, "before this") if found.text else None
            raise tokens.fail(span.start, span.end, f"`:` is missing after `{name}`", (f'write `"{name}": …`',), other)
        tokens.at += 1
        tokens.peek()

    def _forget(self, table: dict[str, Json], name: str, inside: Path | None, again: Span) -> None:
        """Drop what ``name`` held before: the last one counts, and its place."""
        old = table.pop(name)
        if inside is not None:
            path = (*inside, name)
            self.repeated.append((path, self.entries[path].key or again))
            self._drop(path, old)

    def _drop(self, path: Path, value: Json) -> None:
        del self.entries[path]
        if isinstance(value, dict):
            for name, inner in value.items():
                self._drop((*path, name), inner)

    def _value(self, key: Span | None = None) -> Json:
        """A value, or the table or array that begins here, still empty."""
        tokens = self.tokens
        char = tokens.text[tokens.at : tokens.at + 1]
        if key and (not char or char in ",:}]"):
            helps = (f"write a value, or remove `{key.text}`",)
            raise tokens.fail(key.start, key.end, f"`{key.text}` has no value", helps)
        if char not in {"{", "["}:
            return tokens.scalar()
        if len(self.stack) >= MAX_DEPTH:
            raise Rejected([errors.nested_too_deeply(Span(tokens.source, tokens.at, tokens.at + 1), MAX_DEPTH)])
        tokens.at += 1
        return {} if char == "{" else []

    def _close(self, table: _Open) -> None:
        tokens = self.tokens
        tokens.at += table.braces
        self.stack.pop()
        if table.at is not None:
            entry = self.entries[table.at]
            self.entries[table.at] = replace(entry, span=Span(tokens.source, table.start, tokens.at))
        if self.stack:
            self._comma()

    def _comma(self) -> None:
        """Between two values a comma may stand, or a new line."""
        if self.tokens.peek() == ",":
            self.tokens.at += 1

    def _unfinished(self, table: _Open) -> Rejected:
        what, bracket = ("array", "]") if isinstance(table.value, list) else ("table", "}")
        name = f"the {what} `{table.at[-1]}`" if table.at else f"the {what}"
        swallowed = self.tokens.swallowed
        other = Label(swallowed, "without quotes, this text takes the rest of its line") if swallowed else None
        helps = (f"close it with `{bracket}`",)
        return self.tokens.fail(table.start, table.start + 1, f"{name} does not end", helps, other)


def _end_of(table: _Open) -> str:
    """What ends it; nothing but the end of the text ends a root without braces."""
    if isinstance(table.value, list):
        return "]"
    return "}" if table.braces else ""
