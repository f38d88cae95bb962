"""Edits of a spec's files: where a change of a key goes, whichever layer gave it its value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfgc.diagnostics.model import Edit, Fix
from cfgc.fixing.locate import is_of_the_project, location_of, written_at
from cfgc.fixing.tree import ABSENT
from cfgc.origin import dotted
from cfgc.validate.places import Location, leaf_at

if TYPE_CHECKING:
    from cfgc.origin import Origin
    from cfgc.resolve.resolved import Resolved
    from cfgc.source import SourceFile

Edits = tuple[Edit, ...]


def one_fix(edits: Iterable[Edit], *, certain: bool = False) -> tuple[Fix, ...]:
    """A fix of ``edits``; none where no file of the project can make them."""
    made = tuple(edits)
    return (Fix(made, certain),) if made else ()


@dataclass(frozen=True)
class Remedy:
    """Changes of the spec behind ``resolved``. Each is empty when no file of the project can make it.

    A value changes in the file that wrote it. What a shipped file, or nothing but a default, gives is set in the spec
    itself, which wins over both; nothing in a file wins over the command line.
    """

    resolved: Resolved

    def set(self, location: Location, value: Any) -> Edits:
        """``location`` gets ``value``."""
        root = self.resolved.graph.root
        found = leaf_at(self.resolved, location)
        if found is None:
            there = next(iter(self._tables(location)), None)
            source, path = there or (root, location)
            return (Edit("set", source, path, value),) if there or _is_plain(location) else ()
        origin, inside = found[0].origin, found[1]
        if origin.layer.kind == "command line":
            return ()
        written = _written(origin, location[: len(location) - len(inside)], inside)
        if written:
            return (Edit("set", *written, value),)
        if inside:
            location, value = location[: len(location) - len(inside)], _with(origin.value, inside, value)
        return (Edit("set", root, location, value),)

    def drop(self, location: Location) -> Edits:
        """``location`` falls back to its default."""
        found = leaf_at(self.resolved, location)
        if found is None:
            return tuple(Edit("remove", source, path) for source, path in self._tables(location))
        origin, inside = found[0].origin, found[1]
        if origin.layer.kind == "command line" or origin.span is None:
            return ()
        taken = self.take_back(location)
        if inside:
            return taken
        path = tuple(str(part) for part in location)
        below = origin.replaced
        hidden = below is not None and below.span is not None and not below.removed
        return (*taken, *self.unset([dotted(path)])) if hidden or not taken else taken

    def take_back(self, location: Location) -> Edits:
        """``location`` is removed from the file that wrote it, so that a lower layer's value holds."""
        found = leaf_at(self.resolved, location)
        if found is None:
            return self.drop(location)
        written = _written(found[0].origin, location[: len(location) - len(found[1])], found[1])
        return (Edit("remove", *written),) if written else ()

    def move(self, location: Location, to: Location) -> Edits:
        """The value at ``location`` gets the path ``to``, in each file that writes it.

        It is removed where ``to`` has a value already.
        """
        found = leaf_at(self.resolved, location)
        if found is None:
            return tuple(edit for source, path in self._tables(location) for edit in _moving(source, path, to))
        written = _written(found[0].origin, location[: len(location) - len(found[1])], found[1])
        if not written:
            return ()
        if to[:-1] == location[:-1]:
            to = (*written[1][:-1], to[-1])
        if self.is_taken(to, written[0]):
            return (Edit("remove", *written),)
        return (Edit("move", *written, to=to),)

    def is_taken(self, location: Location, source: SourceFile) -> bool:
        """Whether ``source`` gives ``location`` a value."""
        return written_at(source, location) is not ABSENT

    def choose(self, group: str, option: str) -> Edits:
        """The spec chooses another overlay."""
        return (Edit("set", self.resolved.graph.root, ("overlays", group), option),)

    def unset(self, keys: Sequence[str]) -> Edits:
        """The spec takes back what lower layers say of the dotted ``keys``."""
        root = self.resolved.graph.root
        there = written_at(root, ("unset",))
        if isinstance(there, list):
            return tuple(Edit("set", root, ("unset", len(there) + more), key) for more, key in enumerate(keys))
        return (Edit("set", root, ("unset",), list(keys)),) if keys else ()

    def _tables(self, location: Location) -> Iterator[tuple[SourceFile, Location]]:
        """The files of the project that write something below ``location``, and its path there."""
        path = tuple(str(part) for part in location)
        seen: set[SourceFile] = set()
        for known, leaf in self.resolved.leaves.items():
            if known[: len(path)] != path or not leaf.origin.span or leaf.origin.layer.kind == "command line":
                continue
            written = _written(leaf.origin, known, ())
            if written and written[0] not in seen:
                seen.add(written[0])
                yield written[0], written[1][: len(written[1]) - len(known) + len(path)]


def _moving(source: SourceFile, path: Location, to: Location) -> Iterator[Edit]:
    """The table at ``path`` becomes the one at ``to``; key by key, where that is there already."""
    there, table = written_at(source, to), written_at(source, path)
    if not isinstance(there, dict) or not isinstance(table, dict) or there.keys() & table.keys():
        yield Edit("move", source, path, to=to)
        return
    yield from (Edit("move", source, (*path, key), to=(*to, key)) for key in table)


def _written(origin: Origin, path: Location, inside: Location) -> tuple[SourceFile, Location] | None:
    """The file of the project that holds ``inside`` of the value of ``path``, and its path in that file."""
    for length in range(len(inside), -1, -1):
        span = origin.inner.get(inside[:length]) if length else origin.span
        if span is None:
            continue
        if not is_of_the_project(span.source):
            return None
        at = location_of(span, inside[:length] or path[-1:])
        if at is not None:
            return span.source, (*at, *inside[length:])
    return None


def _with(value: Any, inside: Location, new: Any) -> Any:
    """``value`` with ``new`` at the position ``inside``."""
    copy = deepcopy(value)
    holder = copy
    for part in inside[:-1]:
        holder = holder[part]
    holder[inside[-1]] = new
    return copy


def _is_plain(location: Location) -> bool:
    return all(isinstance(part, str) for part in location)
