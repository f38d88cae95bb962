"""A layer as a patch: what it sets, unsets and appends. Patches compose; the empty one is the identity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from cfgc.origin import Origin, Path
from cfgc.source import Span


def empty_map() -> Mapping[Any, Any]:
    """An immutable empty mapping."""
    return MappingProxyType({})


@dataclass(frozen=True)
class Patch:
    """Changes to a tree, by dotted path.

    ``sets`` are leaves; ``tables`` are the headers that were written, for conflicts (``training = 1`` under
    ``[training]``) and for empty tables. ``unsets`` happen before ``sets``; they remove a leaf or a whole table.
    ``appends`` happen last; to a key without an array they act as a set. No path of ``sets`` and ``appends`` lies below
    another one. The place of an unset is None only for a default that a composed patch removes.
    """

    sets: Mapping[Path, Origin] = field(default_factory=empty_map)
    tables: Mapping[Path, Span] = field(default_factory=empty_map)
    unsets: Mapping[Path, Span | None] = field(default_factory=empty_map)
    appends: Mapping[Path, Origin] = field(default_factory=empty_map)


Places = Mapping[tuple[str | int, ...], Span]
"""Places inside a value, by position."""

Tree = Mapping[Path, Origin]
"""Merged leaves by path, in the order of first appearance."""


def apply(patch: Patch, tree: Tree) -> Tree:
    """``tree`` after ``patch``. Where they disagree about what is a table, the patch wins."""
    composed = compose(Patch(sets=tree), patch)
    return leaves_of(composed)


def apply_over(defaults: Tree, patch: Patch, tree: Tree) -> Tree:
    """``tree`` after ``patch``; what ``patch`` unsets falls back to its default."""
    after = apply(patch, tree)
    if not patch.unsets:
        return after
    present = PathSet(after)
    lost = {path: origin for path, origin in defaults.items() if not present.related(path)}
    return MappingProxyType({**after, **lost})


def leaves_of(patch: Patch) -> Tree:
    """The tree that ``patch`` makes of an empty one."""
    return MappingProxyType({path: _settled(origin) for path, origin in {**patch.sets, **patch.appends}.items()})


def compose(first: Patch, second: Patch) -> Patch:
    """The patch that does what ``first`` and then ``second`` do. Associative; ``Patch()`` is its identity."""
    cut = PathSet(second.unsets)
    over = PathSet([*second.sets, *second.appends])
    before = {**first.sets, **first.appends}
    dropped = {path: origin.span for path, origin in before.items() if cut.related(path) or over.clashes(path)}
    kept = {path: origin for path, origin in before.items() if path not in dropped}
    leaves = dict(kept)
    for path, origin in [*second.sets.items(), *second.appends.items()]:
        leaves[path] = _link(origin, kept[path]) if path in kept else origin
    gone = PathSet([*second.unsets, *second.sets, *second.appends])
    tables = {path: span for path, span in first.tables.items() if not gone.covers(path)}
    return Patch(
        sets=MappingProxyType({path: origin for path, origin in leaves.items() if not origin.appended}),
        tables=MappingProxyType({**tables, **second.tables}),
        unsets=MappingProxyType({**first.unsets, **dropped, **second.unsets}),
        appends=MappingProxyType({path: origin for path, origin in leaves.items() if origin.appended}),
    )


class PathSet:
    """Paths, asked about their relatives."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = frozenset(paths)
        self._parents = frozenset(path[:depth] for path in self._paths for depth in range(len(path)))

    def covers(self, path: Path) -> bool:
        """Whether ``path`` is one of them or lies below one."""
        return path in self._paths or any(path[:depth] in self._paths for depth in range(len(path)))

    def holds(self, path: Path) -> bool:
        """Whether ``path`` is one of them or lies above one."""
        return path in self._paths or path in self._parents

    def is_above(self, path: Path) -> bool:
        """Whether one of them lies strictly below ``path``."""
        return path in self._parents

    def clashes(self, path: Path) -> bool:
        """Whether one of them lies strictly above or below ``path``."""
        return path in self._parents or any(path[:depth] in self._paths for depth in range(len(path)))

    def related(self, path: Path) -> bool:
        """Whether one of them is ``path`` or lies above or below it."""
        return path in self._paths or self.clashes(path)


def _link(new: Origin, old: Origin) -> Origin:
    """``new`` with ``old`` below the end of its chain; what waited to be appended is added to ``old``'s array."""
    below = old
    for origin in reversed(list(new.chain())):
        below = _over(origin, below)
    return below


def _over(origin: Origin, below: Origin) -> Origin:
    if not origin.appended or below.appended:
        return replace(origin, replaced=below)
    if not isinstance(below.value, list) or not isinstance(origin.value, list):
        return replace(origin, replaced=below, appended=False)
    shift = len(below.value)
    return replace(
        origin,
        value=[*below.value, *origin.value],
        replaced=below,
        inner=MappingProxyType({**below.inner, **dict(_shifted(origin.inner, shift))}),
        inner_keys=MappingProxyType({**below.inner_keys, **dict(_shifted(origin.inner_keys, shift))}),
        appended=False,
    )


def _shifted(places: Places, by: int) -> Iterator[tuple[tuple[str | int, ...], Span]]:
    for location, span in places.items():
        head = location[0]
        yield (head + by if isinstance(head, int) else head, *location[1:]), span


def _settled(origin: Origin) -> Origin:
    """``origin`` where nothing lies below its chain: an append there starts the array."""
    first, *later = reversed(list(origin.chain()))
    if not first.appended:
        return origin
    below = replace(first, appended=False)
    for upper in later:
        below = _over(upper, below)
    return below
