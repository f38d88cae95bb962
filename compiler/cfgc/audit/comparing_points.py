"""What differs between two sweeps: points that came, went or changed. A point is known by what it sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.facts import Fact
from cfgc.emit.markdown import counted
from cfgc_runtime.point import Point, patched
from cfgc_runtime.values import KINDS, Difference, Values, compare_specs

_SHOWN: Final = 20
"""Points that are named."""


@dataclass(frozen=True)
class PointChange:
    """Something that differs of some points, and their numbers on the new side."""

    difference: Difference
    points: tuple[int, ...]


@dataclass(frozen=True)
class _Pair:
    old: Point
    new: Point


def compare_points(old: BundleOnDisk, new: BundleOnDisk) -> tuple[list[Difference], tuple[PointChange, ...]]:
    """What differs of all points that both sides have, or of the first ones where there is none; and of some."""
    pairs = list(_pairs(old.points, new.points))
    base = {one.key: one for one in compare_specs(old.values, new.values)}
    if not pairs:
        return list(base.values()), ()
    found: dict[str, tuple[Difference, list[int]]] = {}
    for pair in pairs:
        for one in _differences(base, old.values, new.values, pair):
            found.setdefault(repr(one), (one, []))[1].append(pair.new.index)
    shared = [one for one, points in found.values() if len(points) == len(pairs)]
    return shared, tuple(PointChange(one, tuple(points)) for one, points in found.values() if len(points) < len(pairs))


def ds_configs(old: BundleOnDisk, new: BundleOnDisk) -> tuple[Values, Values]:
    """What DeepSpeed is given, of the first point that both sides have; else of the first ones."""
    pair = next(_pairs(old.points, new.points), None)
    if pair is None:
        return old.values, new.values
    return _ds_config(old.values, pair.old), _ds_config(new.values, pair.new)


def _ds_config(values: Values, point: Point) -> Values:
    return {"ds_config": patched(values["ds_config"], point.values.get("ds_config", {}))}


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


def _named(points: Sequence[Point]) -> Iterator[str]:
    return _first([f"{point.index} ({', '.join(point.overrides)})" for point in points])


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"… {len(lines) - _SHOWN} more"
