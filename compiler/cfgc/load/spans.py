"""Where every key and value of a TOML text stands.

tomlkit publishes no positions. ``SpanParser`` records them as it goes; ``locate`` turns the records into a map. The
values themselves come from ``tomllib``: plain Python, and the strict reading of TOML 1.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item, Key
from tomlkit.parser import Parser

Location: TypeAlias = tuple[str | int, ...]
"""Keys and array positions, from the root of the document."""
Extent: TypeAlias = tuple[int, int]
"""Start and end (exclusive) in characters."""


@dataclass(frozen=True)
class Place:
    """Extents of a value and of the key it was written under (for an array element, the element's own)."""

    key: Extent
    value: Extent


@dataclass(frozen=True)
class Places:
    """``values`` has every key written with ``=`` and every array element; ``headers`` every ``[table]``."""

    values: Mapping[Location, Place]
    headers: Mapping[Location, Extent]


class SpanParser(Parser):
    """tomlkit's parser, recording where keys and values start and end."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.keys: dict[int, tuple[int, tuple[str, ...]]] = {}
        self.values: dict[int, int] = {}

    def _parse_key(self) -> Key:
        before = self._idx
        key = super()._parse_key()
        start, end = self._trimmed(before)
        self.keys[start] = (end, tuple(part.key for part in key))
        return key

    def _parse_value(self) -> Item:
        before = self._idx
        try:
            item = super()._parse_value()
        except TOMLKitError:
            self.values[before] = len(str(self._src))  # so that what it holds so far stays inside it
            raise
        start, end = self._trimmed(before)
        self.values[start] = end
        return item

    def _trimmed(self, before: int) -> Extent:
        """From ``before`` to here, without the white space that the parser takes along."""
        raw = self._src[before : self._idx]
        start = before + len(raw) - len(raw.lstrip(" \t"))
        return start, before + len(raw.rstrip(" \t\r\n"))


@dataclass(frozen=True)
class Repeat:
    """A key or table that is written again."""

    location: Location
    first: Extent
    again: Extent


@dataclass
class _Walk:
    """Reads the records in the order of the text."""

    parser: SpanParser
    text: str
    values: dict[Location, Place] = field(default_factory=dict)
    headers: dict[Location, Extent] = field(default_factory=dict)
    lengths: dict[Location, int] = field(default_factory=dict)
    claims: dict[Location, Extent] = field(default_factory=dict)
    statements: dict[Location, Extent] = field(default_factory=dict)
    parents: dict[Location, Extent] = field(default_factory=dict)
    implied: dict[Location, Extent] = field(default_factory=dict)
    repeat: Repeat | None = None

    def document(self) -> Places:
        marks = sorted([*self.parser.keys, *self.parser.values], reverse=True)
        table: Location = ()
        while marks:
            start = marks.pop()
            end, parts = self.parser.keys[start]
            if marks and marks[-1] in self.parser.values:
                location = self._inside(table, parts)
                self._claim_statement(table, location, (start, end))
                self._value(location, (start, end), marks)
            else:
                table = self._header(parts, (start, end))
        return Places(self.values, self.headers)

    def _header(self, parts: tuple[str, ...], extent: Extent) -> Location:
        location = self._inside((), parts)
        if self._opens_element(extent[0]):
            array = (*self._inside((), parts[:-1]), parts[-1])
            if array not in self.lengths:
                self._refuse(array, [self.implied.get(array)], extent)
                self._claim(array, extent)
            self.values.setdefault(array, Place(extent, extent))
            position = self.lengths[array] = self.lengths.get(array, -1) + 1
            location = (*array, position)
            self.values[location] = Place(extent, extent)
        above = [location[:depth] for depth in range(1, len(location))]
        self._refuse(location, [self.parents.get(location), *map(self.statements.get, above)], extent)
        self._claim(location, extent)
        self.headers[location] = extent
        for other in above:
            self.implied.setdefault(other, extent)
        return location

    def _opens_element(self, start: int) -> bool:
        bracket = self.text.rfind("[", 0, start)
        return bracket > 0 and self.text[bracket - 1] == "["

    def _inside(self, table: Location, parts: tuple[str, ...]) -> Location:
        """``parts`` below ``table``; below an array of tables, in its last element."""
        location = table
        for part in parts:
            location = (*location, part)
            if location in self.lengths:
                location = (*location, self.lengths[location])
        return location

    def _claim(self, location: Location, extent: Extent) -> None:
        """Note that ``extent`` gives ``location`` its only meaning."""
        first = self.claims.setdefault(location, extent)
        self._refuse(location, [first if first != extent else None], extent)

    def _claim_statement(self, table: Location, location: Location, extent: Extent) -> None:
        """``a.b = 1`` claims that ``a`` is no value and no header, ``a = 1`` that nothing is below ``a``."""
        above = [location[:depth] for depth in range(1, len(location))]
        self._refuse(location, [self.statements.get(other) for other in above], extent)
        self._refuse(location, [self.parents.get(location)], extent)
        self.statements.setdefault(location, extent)
        for other in above[len(table) :]:
            self.parents.setdefault(other, extent)

    def _refuse(self, location: Location, earlier: Iterable[Extent | None], extent: Extent) -> None:
        first = next(filter(None, earlier), None)
        if first is not None and self.repeat is None:
            self.repeat = Repeat(location, first, extent)

    def _value(self, location: Location, key: Extent, marks: list[int]) -> None:
        start = marks.pop()
        end = self.parser.values[start]
        self.values[location] = Place(key, (start, end))
        self._claim(location, key)
        position = 0
        while marks and marks[-1] < end:
            if marks[-1] in self.parser.values:
                element = marks[-1]
                self._value((*location, position), (element, self.parser.values[element]), marks)
                position += 1
            else:
                inner = marks.pop()
                inner_end, parts = self.parser.keys[inner]
                self._value((*location, *parts), (inner, inner_end), marks)


def locate(text: str) -> Places:
    """The place of every key and value. Raises tomlkit's ``ParseError`` when ``text`` is not TOML."""
    parser = SpanParser(text)
    parser.parse()
    return _Walk(parser, text).document()


def first_repeat(text: str) -> Repeat | None:
    """The first key or table of ``text`` that is written twice, where its grammar is right so far."""
    parser = SpanParser(text)
    with suppress(TOMLKitError):
        parser.parse()
    walk = _Walk(parser, text)
    walk.document()
    return walk.repeat


def last_key(text: str) -> Extent | None:
    """The last key that can be read of a broken ``text``."""
    parser = SpanParser(text)
    with suppress(TOMLKitError):
        parser.parse()
    start = max(parser.keys, default=None)
    return None if start is None else (start, parser.keys[start][0])
