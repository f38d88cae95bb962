"""How a TOML text is laid out: its headers, its ``key = value`` lines, and what stands inside a value."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tomlkit.exceptions import TOMLKitError

from cfgc.fixing.splices import line_end, line_start
from cfgc.fixing.tree import CannotEditError, Location
from cfgc.load.spans import Extent, Places, locate

if TYPE_CHECKING:
    from collections.abc import Sequence

_PART = re.compile(r"""[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*\.?""")


@dataclass(frozen=True)
class Line:
    """A key with its value: of a table (``container`` is the header's location), or inside an inline table."""

    location: Location
    key: Extent
    value: Extent
    container: Location


@dataclass(frozen=True)
class Layout:
    """One text with the places of all that is in it."""

    text: str
    tree: dict[str, Any]
    places: Places

    @cached_property
    def headers(self) -> tuple[tuple[Location, Extent], ...]:
        """Every ``[table]`` and ``[[element]]`` with the extent of its key, in the order of the text."""
        return tuple(sorted(self.places.headers.items(), key=lambda item: item[1]))

    @cached_property
    def statements(self) -> tuple[Line, ...]:
        """Every ``key = value`` line, in the order of the text."""
        found: list[Line] = []
        end = -1
        for location, place in sorted(self.places.values.items(), key=lambda item: item[1].key):
            if place.key != place.value and place.key[0] >= end:
                found.append(Line(location, place.key, place.value, self._table(place.key[0])))
                end = place.value[1]
        return tuple(found)

    def _table(self, at: int) -> Location:
        above = [location for location, key in self.headers if key[0] < at]
        return above[-1] if above else ()

    def of_table(self, table: Location) -> list[Line]:
        """The lines that stand below one header."""
        return [line for line in self.statements if line.container == table]

    def below(self, path: Location) -> list[Line]:
        """The lines that give ``path`` or something below it a value."""
        return [line for line in self.statements if line.location[: len(path)] == path]

    def headers_below(self, path: Location) -> list[tuple[Location, Extent]]:
        """The headers of ``path`` and of what is below it."""
        return [(location, key) for location, key in self.headers if location[: len(path)] == path]

    def is_literal(self, location: Location) -> bool:
        """Whether a value is written for ``location``, and no header."""
        return location in self.places.values and not self.headers_below(location)

    def literal_around(self, path: Location) -> Location | None:
        """The innermost array or inline table that ``path`` is, or would be, inside of."""
        heads = (path[:length] for length in range(len(path) - 1, 0, -1))
        return next((head for head in heads if self.is_literal(head)), None)

    def members(self, container: Location) -> list[Line]:
        """The elements of a written array, or the entries of an inline table, in their order."""
        start, end = self.places.values[container].value
        found: list[Line] = []
        last = start
        for location, place in sorted(self.places.values.items(), key=lambda item: item[1].key):
            inside = location[: len(container)] == container and location != container
            if inside and start < place.key[0] < end and place.key[0] >= last:
                found.append(Line(location, place.key, place.value, container))
                last = place.value[1]
        return found

    def region(self, header: Location) -> Extent:
        """From the line of ``header`` to the end of the last line below it."""
        key = self.places.headers[header]
        ends = [line.value[1] for line in self.of_table(header)]
        return line_start(self.text, key[0]), line_end(self.text, max([key[1], *ends]))

    def stays(self, location: Location) -> bool:
        """Whether a table that has lost its last key is kept: an inline one, and a header with comments."""
        if location not in self.places.headers:
            return self.is_literal(location)
        start, end = self.region(location)
        own = [(line.key[0], line.value[1]) for line in self.of_table(location)]
        comments = (found.start() for found in re.finditer("#", self.text[start:end]))
        lines = [line_start(self.text, key) for key, _ in own]
        return any(line_start(self.text, start + at) not in lines and not _in(start + at, own) for at in comments)


def _in(at: int, extents: Sequence[Extent]) -> bool:
    return any(start <= at < end for start, end in extents)


def layout_of(text: str) -> Layout:
    """The layout of ``text``. Raises ``CannotEditError`` when it is not TOML."""
    try:
        return Layout(text, tomllib.loads(text), locate(text))
    except (ValueError, RecursionError, TOMLKitError) as error:
        raise CannotEditError(str(error)) from None


def key_parts(text: str, key: Extent) -> list[Extent]:
    """The extents of ``a``, ``"b c"`` and ``d`` in ``a . "b c".d``."""
    found: list[Extent] = []
    position = key[0]
    while position < key[1]:
        part = _PART.match(text, position, key[1])
        if part is None:
            raise CannotEditError("this key has a form of its own")
        found.append(part.span(1))
        position = part.end()
    return found
