"""What differs between two sweeps: points that came, went or changed. A point is known by what it sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.facts import Fact
from cfgc.emit.markdown import counted
from cfgc_runtime.point import Point
from cfgc_runtime.values import KINDS, Difference, Values, compare_specs

_Key: TypeAlias = tuple[str, ...]
_SHOWN: Final = 20
"""Points that are named."""


@dataclass(frozen=True)
class PointChange:
    """A point that both sides have, its numbers, and what differs of it beside what differs of all points."""

    overrides: tuple[str, ...]
    old: int
    new: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class _Pair:
    old: Point
    new: Point


def compare_points(old: BundleOnDisk, new: BundleOnDisk) -> tuple[list[Difference], tuple[PointChange, ...]]:
    """What differs of all points that both sides have, or of the first ones when there is none; and of single ones."""
    pairs = list(_pairs(old.points, new.points))
    base = {one.key: one for one in compare_specs(old.values, new.values)}
    if not pairs:
        return list(base.values()), ()
    found = [list(_differences(base, old.values, new.values, pair)) for pair in pairs]
    times = Counter(map(repr, (one for differences in found for one in differences)))
    changes = (
        PointChange(pair.new.overrides, pair.old.index, pair.new.index, _rare(differences, times, len(pairs)))
        for pair, differences in zip(pairs, found, strict=True)
    )
    shared = [one for one in found[0] if times[repr(one)] == len(pairs)]
    return shared, tuple(change for change in changes if change.differences)


def point_facts(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """Points that came, went, or have another number."""
    before, after = ({point.overrides: point for point in side.points} for side in (old, new))
    gone = [point for key, point in before.items() if key not in after]
    come = [point for key, point in after.items() if key not in before]
    if gone:
        yield Fact("points", "resources", f"{counted(len(gone), 'point')} gone", tuple(_named(gone)))
    if come:
        yield Fact("points", "resources", f"{counted(len(come), 'point')} new", tuple(_named(come)))
    moved = [pair for pair in _pairs(old.points, new.points) if pair.old.index != pair.new.index]
    if moved:
        lines = [f"{pair.old.index} → {pair.new.index} ({', '.join(pair.new.overrides)})" for pair in moved]
        yield Fact("points", "logistics", f"{counted(len(moved), 'point')} of another number", tuple(_first(lines)))


def _pairs(old: Sequence[Point], new: Sequence[Point]) -> Iterator[_Pair]:
    before = {point.overrides: point for point in old}
    return (_Pair(before[point.overrides], point) for point in new if point.overrides in before)


def _differences(base: Mapping[str, Difference], old: Values, new: Values, pair: _Pair) -> Iterator[Difference]:
    """``base`` is what differs of the values that both points take over as they are."""
    own = {key for point in (pair.old, pair.new) for kind in KINDS for key in point.values.get(kind, {})}
    yield from (one for key, one in base.items() if key not in own)
    yield from compare_specs(_only(own, old, pair.old), _only(own, new, pair.new))


def _only(keys: Iterable[str], values: Values, point: Point) -> Values:
    return {kind: dict(_of_point(keys, values.get(kind, {}), point.values.get(kind, {}))) for kind in KINDS}


def _of_point(keys: Iterable[str], values: Mapping[str, Any], patch: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in keys:
        if key in patch:
            yield from [(key, patch[key])] if patch[key] is not None else []
        elif key in values:
            yield key, values[key]


def _rare(differences: Sequence[Difference], times: Mapping[str, int], points: int) -> tuple[Difference, ...]:
    return tuple(one for one in differences if times[repr(one)] < points)


def _named(points: Sequence[Point]) -> Iterator[str]:
    return _first([f"{point.index} ({', '.join(point.overrides)})" for point in points])


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"… {len(lines) - _SHOWN} more"
