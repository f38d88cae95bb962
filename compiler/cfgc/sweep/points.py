"""From a declared sweep to its points: which settings each has, in a fixed order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Label, Rejected
from cfgc.origin import Layer, Path, dotted
from cfgc.patch import PathSet, empty_map
from cfgc.schema.sweep import MOST_POINTS
from cfgc.sweep import errors
from cfgc.sweep.draws import draw, draw_place
from cfgc.sweep.reading import Declared
from cfgc.sweep.settings import Setting, described, patch_of
from cfgc.validate.remedy import one_fix

if TYPE_CHECKING:
    from cfgc.load.graph import SpecGraph
    from cfgc.source import Span
    from cfgc.validate.remedy import Remedy

LARGEST = 100_000
"""Points of one sweep, whatever ``max_points`` says."""


@dataclass(frozen=True)
class Point:
    """One combination; ``index`` counts from 0 as Slurm's array does."""

    index: int
    settings: tuple[Setting, ...]

    @property
    def layer(self) -> Layer:
        """Where its values come from."""
        return Layer("sweep point", str(self.index))

    @property
    def overlays(self) -> tuple[Setting, ...]:
        """Those of its settings that choose overlays."""
        return tuple(setting for setting in self.settings if setting.is_overlay)

    @property
    def title(self) -> str:
        """``point 7 (training.learning_rate=1e-2)``."""
        return f"point {self.index} ({described(self.settings)})"


def make_points(declared: Declared, remedy: Remedy) -> tuple[Point, ...]:
    """Every point, in order: the last parameter varies fastest. Raises ``Rejected``."""
    method = declared.said.method
    check_keys(declared)
    limit = declared.said.max_points or MOST_POINTS
    if method == "list":
        _check_count([("sweep.points", len(declared.points))], len(declared.points), limit, declared, remedy)
        return tuple(Point(index, settings) for index, settings in enumerate(declared.points))
    if method == "random":
        return tuple(Point(index, tuple(_drawn(declared, index))) for index in range(limit))
    columns = [parameter.values for parameter in declared.parameters]
    sizes = [(parameter.name, len(parameter.values)) for parameter in declared.parameters]
    if method == "zip":
        if len({size for _, size in sizes}) > 1:
            places = [(p.name, len(p.values), p.place.key_span) for p in declared.parameters]
            raise Rejected([errors.unequal(places)])
        _check_count(sizes[:1], sizes[0][1], limit, declared, remedy)
        return _numbered(zip(*columns, strict=True))
    _check_count(sizes, math.prod(size for _, size in sizes), limit, declared, remedy)
    return _numbered(product(*columns))


def _numbered(rows: Iterable[tuple[Setting, ...]]) -> tuple[Point, ...]:
    return tuple(Point(index, settings) for index, settings in enumerate(rows))


def _check_count(sizes: Sequence[tuple[str, int]], count: int, limit: int, declared: Declared, remedy: Remedy) -> None:
    if count > limit:
        accepting = one_fix(remedy.set(("sweep", "max_points"), count)) if count <= LARGEST else ()
        raise Rejected([errors.too_many(sizes, count, limit, accepting, declared.place)])


def _drawn(declared: Declared, index: int) -> Iterator[Setting]:
    seed = declared.said.seed or 0
    for parameter in declared.parameters:
        if parameter.range is None:
            yield parameter.values[draw_place(len(parameter.values), seed, parameter.name, index)]
        else:
            value = draw(parameter.range, seed, parameter.name, index)
            yield replace(parameter.place, value=value, inner=empty_map(), inner_keys=empty_map())


def check_keys(declared: Declared) -> None:
    """CFG657: no two settings of a point are of one key, or of a key and a table that holds it."""
    rows = declared.points or [tuple(parameter.place for parameter in declared.parameters)]
    found: dict[tuple[Path, Path], Diagnostic] = {}
    for row in rows:
        for one, other in combinations(row, 2):
            short, long = sorted((one, other), key=lambda setting: len(setting.key))
            if long.key[: len(short.key)] == short.key and not (short.is_overlay and not long.is_overlay):
                found.setdefault((short.key, long.key), _twice(short, long))
    if found:
        raise Rejected(found.values())


def _twice(short: Setting, long: Setting) -> Diagnostic:
    how = "is swept twice" if short.key == long.key else f"is swept, and `{dotted(long.key)}` in it as well"
    labels = (Label(short.key_span, "here"), Label(long.key_span, "and here"))
    return errors.set_twice(dotted(short.key), how, *labels, ("keep one of them",))


def check_command_line(points: Sequence[Point], graph: SpecGraph) -> None:
    """CFG657: nothing that the command line sets is set again by the points, which come later."""
    settings = {setting.key: setting for point in reversed(points) for setting in reversed(point.settings)}
    swept = PathSet(path for s in settings.values() for path in patch_of((s,), Layer("sweep point")).sets)
    found = []
    for layer in graph.layers:
        patch = layer.patch
        given = [(path, origin.key_span) for path, origin in (*patch.sets.items(), *patch.appends.items())]
        for path, span in [*given, *patch.unsets.items()] if layer.layer.kind == "command line" else []:
            if swept.related(path):
                setting = next((s for key, s in settings.items() if PathSet([path]).related(key)), None)
                found.append(_overridden(dotted(path), span, setting))
    for group, span in graph.chosen.items():
        if span.source.logical == "command line" and (group,) in settings:
            found.append(_overridden(group, span, settings[(group,)]))
    if found:
        raise Rejected(found)


def _overridden(key: str, span: Span | None, setting: Setting | None) -> Diagnostic:
    second = Label(span, "every point would set it again") if span else None
    first = Label(setting.key_span, "swept here") if setting else None
    helps = (f"drop it, or give the sweep other values: 'sweep.parameters.{key}=[…]'",)
    return errors.set_twice(key, "is set on the command line and swept as well", first, second, helps)
