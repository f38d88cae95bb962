"""One TOML text: its values as plain Python, each with its place."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from tomlkit.exceptions import ParseError

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load import limit_errors, syntax_errors
from cfgc.load.spans import Extent, Location, Place, Places, locate
from cfgc.load.syntax import place_at, syntax_error
from cfgc.origin import Value
from cfgc.source import SourceFile, Span

MAX_DEPTH = 32
"""Parts of a dotted key, and nested arrays and tables below one. No key of the schema has more than 6."""


_DEEP = re.compile(rf"(?<![\w-])(?:[\w-]++\.){{{2 * MAX_DEPTH}}}")
"""A dotted key that is nested so deeply that its parser would take long."""
MAX_KEY = 200
"""Characters of one part of a key."""
MAX_LINES = 10_000
"""Lines of one text."""
MAX_MARKS = 16_000
"""Characters of one text that begin another key, part of a key, element or table."""


@dataclass(frozen=True)
class Document:
    """A parsed text. ``places`` has every key and array element, ``headers`` every ``[table]``."""

    source: SourceFile
    tree: Mapping[str, Value]
    places: Mapping[Location, Place]
    headers: Mapping[Location, Extent]

    def span(self, location: Location) -> Span:
        """Where the value at ``location`` is written; for a table, its header or the first key in it."""
        return self._span(location, key=False)

    def key_span(self, location: Location) -> Span:
        """Where the key of ``location`` is written."""
        return self._span(location, key=True)

    def inner(self, location: Location) -> Mapping[Location, Span]:
        """Places below ``location``, by their position in it."""
        depth = len(location)
        return MappingProxyType({other[depth:]: self.span(other) for other in self._below.get(location, ())})

    def inner_keys(self, location: Location) -> Mapping[Location, Span]:
        """Places of the keys below ``location``, by their position in it; of ``a`` and ``a.b`` in ``a.b = 1`` too."""
        depth = len(location)
        below = self._below.get(location, ())
        parts = dict.fromkeys(other[:length] for other in below for length in range(depth + 1, len(other) + 1))
        return MappingProxyType({other[depth:]: self.key_span(other) for other in parts})

    @cached_property
    def _below(self) -> Mapping[Location, Sequence[Location]]:
        """Every location's descendants that have a place."""
        below: dict[Location, list[Location]] = {}
        for location in dict.fromkeys((*self.places, *self.headers)):
            for depth in range(1, len(location)):
                below.setdefault(location[:depth], []).append(location)
        return below

    def _span(self, location: Location, *, key: bool) -> Span:
        place = self.places.get(location)
        if place is not None:
            return Span(self.source, *(place.key if key else place.value))
        header = self.headers.get(location) or self._first_below(location)
        return Span(self.source, *header) if header else Span(self.source, 0, 0)

    def _first_below(self, location: Location) -> Extent | None:
        """A table that only its children mention stands where the first of them does."""
        below = self._below.get(location, ())
        keys = [self.places[other].key for other in below if other in self.places]
        return min([*keys, *(self.headers[other] for other in below if other in self.headers)], default=None)


def parse_document(source: SourceFile) -> Document:
    """The document of ``source``. Raises ``Rejected`` when it is no TOML, nests too deeply or has an unfit number."""
    _refuse_too_much(source)
    tree = _plain(source)
    places = _places_of(source)
    document = Document(source, MappingProxyType(tree), places.values, places.headers)
    found = [*_too_deep(document), *_long_keys(document, (), tree), *_unfit_numbers(document, (), tree)]
    if found:
        raise Rejected(found)
    return document


def _refuse_too_much(source: SourceFile) -> None:
    """Stop at texts that would take the parser seconds; their marks bound how many keys and elements they can have."""
    lines = source.text.count("\n")
    marks = sum(source.text.count(mark) for mark in "=.,[")
    deep = _DEEP.search(source.text)
    if deep:
        raise Rejected([syntax_errors.nested_too_deeply(Span(source, deep.start(), deep.end()), MAX_DEPTH)])
    if lines > MAX_LINES:
        raise Rejected([limit_errors.too_many(source, f"{lines:,} lines", f"a file has at most {MAX_LINES:,} lines")])
    if marks > MAX_MARKS:
        limit = f"a file has at most {MAX_MARKS:,} of the marks `=`, `.`, `,` and `[`"
        raise Rejected([limit_errors.too_many(source, f"{marks:,} parts of keys and values", limit)])


def _plain(source: SourceFile) -> dict[str, Value]:
    try:
        return tomllib.loads(source.text)
    except RecursionError:
        raise Rejected([syntax_errors.nested_too_deeply(Span(source, 0, 0), MAX_DEPTH)]) from None
    except tomllib.TOMLDecodeError as error:
        raise Rejected([syntax_error(source, str(error))]) from None
    except ValueError:
        raise Rejected([syntax_errors.number_too_long(source)]) from None


def _places_of(source: SourceFile) -> Places:
    try:
        return locate(source.text)
    except ParseError as error:
        span = place_at(source, error.line, error.col + 1)
        if "nested more than" in str(error):
            raise Rejected([syntax_errors.nested_too_deeply(span, MAX_DEPTH)]) from None
        raise Rejected([syntax_errors.not_toml(span, str(error).rpartition(" at line ")[0])]) from None


def _too_deep(document: Document) -> Iterator[Diagnostic]:
    for location in (*document.places, *document.headers):
        if len(location) == MAX_DEPTH + 1:
            yield syntax_errors.nested_too_deeply(document.key_span(location), MAX_DEPTH)
            return


def _long_keys(document: Document, location: Location, value: Value | Mapping[str, Value]) -> Iterator[Diagnostic]:
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for part, child in inside:
        if isinstance(part, str) and len(part) > MAX_KEY:
            yield limit_errors.too_long_key(len(part), MAX_KEY, document.key_span((*location, part)))
        else:
            yield from _long_keys(document, (*location, part), child)


def _unfit_numbers(document: Document, location: Location, value: Value | Mapping[str, Value]) -> Iterator[Diagnostic]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _unfit_numbers(document, (*location, key), child)
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _unfit_numbers(document, (*location, position), child)
    elif isinstance(value, float) and not math.isfinite(value):
        yield syntax_errors.not_finite(document.span(location))
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield syntax_errors.integer_too_large(document.span(location))
