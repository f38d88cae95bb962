"""A layer as a patch: what it sets, unsets and appends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from cfgc.origin import Origin, Path
from cfgc.source import Span

K = TypeVar("K")
V = TypeVar("V")


def empty_map() -> Mapping[K, V]:
    """An immutable empty mapping."""
    return MappingProxyType({})


@dataclass(frozen=True)
class Patch:
    """Changes to a tree, by dotted path.

    ``sets`` are leaves; ``tables`` are the headers that were written, for conflicts (``training = 1`` under
    ``[training]``) and for empty tables. ``unsets`` happen before ``sets``; they remove a leaf or a whole table.
    """

    sets: Mapping[Path, Origin] = field(default_factory=empty_map)
    tables: Mapping[Path, Span] = field(default_factory=empty_map)
    unsets: Mapping[Path, Span] = field(default_factory=empty_map)
    appends: Mapping[Path, Origin] = field(default_factory=empty_map)
