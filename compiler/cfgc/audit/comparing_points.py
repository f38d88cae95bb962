"""What differs between two sweeps: points that came, went or changed. A point is known by what it sets."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.facts import Fact
from cfgc.emit.markdown import counted
from cfgc_runtime.point import Point, patched
from cfgc_runtime.values import KINDS, Difference, Kind, Values, compare_specs

POINTS: Final = "points"
"""What facts of points are about."""
MORE_OR_FEWER: Final[Kind] = "resources"
"""The class of points that came, or went, beside those that stay."""
_SHOWN: Final = 20
"""Points that are named."""


@dataclass(frozen=True)
class PointChange:
    """Something that differs of some points, and their numbers on the new side."""

    difference: Difference
    points: tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    """A point that both sides have."""

    old: Point
    new: Point


def compare_points(old: BundleOnDisk, new: BundleOnDisk) -> tuple[list[Difference], tuple[PointChange, ...]]:
    """What differs of all points that both sides have, or of the first ones where there is none; and of some."""
    both = list(pairs(old.points, new.points))
    base = {one.key: one for one in compare_specs(old.values, new.values)}
    if not both:
        return list(base.values()), ()
    found: dict[str, tuple[Difference, list[int]]] = {}
    for pair in both:
        for one in _differences(base, old.values, new.values, pair):
            found.setdefault(repr(one), (one, []))[1].append(pair.new.index)
    shared = [one for one, points in found.values() if len(points) == len(both)]
    return shared, tuple(PointChange(one, tuple(points)) for one, points in found.values() if len(points) < len(both))


def ds_configs(old: BundleOnDisk, new: BundleOnDisk) -> tuple[Values, Values]:
    """What DeepSpeed is given, of the first point that both sides have; else of the first ones."""
    pair = next(pairs(old.points, new.points), None)
    if pair is None:
        return old.values, new.values
    return _ds_config(old.values, pair.old), _ds_config(new.values, pair.new)


def _ds_config(values: Values, point: Point) -> Values:
    return {"ds_config": patched(values["ds_config"], point.values.get("ds_config", {}))}


def point_facts(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """Points that came, went, or have another number.

    More points, or fewer, are a matter of cost. Where some went and others came, what they set is another: they have
    the worst class of what differs between the two.
    """
    before, after = ({point.overrides: point for point in side.points} for side in (old, new))
    gone = [point for key, point in before.items() if key not in after]
    come = [point for key, point in after.items() if key not in before]
    kind = _class_of(old, gone, new, come) if gone and come else MORE_OR_FEWER
    if gone:
        yield Fact(POINTS, kind, f"{counted(len(gone), 'point')} gone", tuple(_named(gone)))
    if come:
        yield Fact(POINTS, kind, f"{counted(len(come), 'point')} new", tuple(_named(come)))
    moved = [pair for pair in pairs(old.points, new.points) if pair.old.index != pair.new.index]
    if moved:
        lines = [f"{pair.old.index} → {pair.new.index} ({', '.join(pair.new.overrides)})" for pair in moved]
        yield Fact(POINTS, "logistics", f"{counted(len(moved), 'point')} of another number", tuple(_first(lines)))


def _class_of(old: BundleOnDisk, gone: Sequence[Point], new: BundleOnDisk, come: Sequence[Point]) -> Kind:
    """The worst class of which the points that came have values that those that went had not, or the other way."""
    own = {key for point in (*old.points, *new.points) for key in _own(point)}
    before, after = _tables(own, old.values, gone), _tables(own, new.values, come)
    least = MORE_OR_FEWER if len(gone) != len(come) else KINDS[-1]
    return next(kind for kind in KINDS if kind == least or before[kind] != after[kind])


def _own(point: Point) -> Iterator[str]:
    """Keys that a point sets, and those that differ from the first point's, which changes nothing of itself."""
    yield from (override.partition("=")[0] for override in point.overrides)
    yield from (key for kind in KINDS for key in point.values.get(kind, {}))


def _tables(keys: Collection[str], values: Values, points: Sequence[Point]) -> Mapping[Kind, set[str]]:
    """Of each class what ``points`` have for ``keys``, whichever of them it is."""
    tables = [_only(keys, values, point) for point in points]
    return {kind: {json.dumps(table[kind], sort_keys=True) for table in tables} for kind in KINDS}


def pairs(old: Sequence[Point], new: Sequence[Point]) -> Iterator[Pair]:
    """The points that both sides have, in the order of ``new``."""
    before = {point.overrides: point for point in old}
    return (Pair(before[point.overrides], point) for point in new if point.overrides in before)


def _differences(base: Mapping[str, Difference], old: Values, new: Values, pair: Pair) -> Iterator[Difference]:
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
