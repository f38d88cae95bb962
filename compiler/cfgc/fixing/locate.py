"""Where in its file a place of a spec is: the path that an edit names."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tomlkit.exceptions import TOMLKitError

from cfgc.fixing.tree import value_at
from cfgc.load.raw import SHIPPED
from cfgc.load.spans import Extent, Places, locate

if TYPE_CHECKING:
    from cfgc.fixing.tree import Location
    from cfgc.source import SourceFile, Span

_COMMAND_LINE = "command line"


def is_of_the_project(source: SourceFile) -> bool:
    """Whether ``source`` is a file that a fix may change: no shipped spec, and not the command line."""
    return not source.logical.startswith(SHIPPED) and source.logical != _COMMAND_LINE


def location_of(span: Span, tail: Location = ()) -> Location | None:
    """The path of the value that stands at ``span``; of several, as a table's header has, one that ends in ``tail``."""
    found = _by_extent(span.source).get((span.start, span.end), [])
    ending = [location for location in found if location[len(location) - len(tail) :] == tail]
    return next(iter(ending or found), None)


def location_of_key(span: Span) -> Location | None:
    """The path of the key or header that is written at ``span``."""
    extent = (span.start, span.end)
    places = _places(span.source)
    keys = (location for location, place in places.values.items() if place.key == extent)
    return next(keys, None) or next((location for location, key in places.headers.items() if key == extent), None)


def location_around(span: Span) -> Location | None:
    """The path of the innermost value that holds ``span``."""
    around = [
        (place.value[1] - place.value[0], location)
        for location, place in _places(span.source).values.items()
        if place.value[0] <= span.start and span.end <= place.value[1]
    ]
    return min(around, key=lambda pair: pair[0])[1] if around else None


def written_at(source: SourceFile, location: Location) -> Any:
    """What ``source`` itself holds at ``location``, before any merging; ``ABSENT`` for nothing."""
    return value_at(_tree(source), location)


@lru_cache(maxsize=32)
def _tree(source: SourceFile) -> dict[str, Any]:
    """What ``source`` holds; nothing when it is no TOML. Nobody may change it."""
    try:
        return tomllib.loads(source.text)
    except (ValueError, RecursionError):
        return {}


@lru_cache(maxsize=32)
def _by_extent(source: SourceFile) -> Mapping[Extent, list[Location]]:
    found: dict[Extent, list[Location]] = {}
    for location, place in _places(source).values.items():
        found.setdefault(place.value, []).append(location)
    return found


@lru_cache(maxsize=32)
def _places(source: SourceFile) -> Places:
    try:
        return locate(source.text)
    except TOMLKitError:  # a text that no file holds
        return Places({}, {})
