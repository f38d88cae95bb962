"""Every point through the whole compiler: layers are read and merged once, the rest is done for each point."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.emit.canonical import plan_digest
from cfgc.load.graph import LayerPatch, SpecGraph
from cfgc.load.loader import load_spec
from cfgc.lower.lowering import lower_spec
from cfgc.origin import Path
from cfgc.patch import Patch
from cfgc.resolve.merge import Merged, merge_layers
from cfgc.resolve.resolver import resolve_merged
from cfgc.sweep.asked import TABLE
from cfgc.sweep.difference import Base, difference
from cfgc.sweep.pool import spread
from cfgc.sweep.settings import patch_of
from cfgc.sweep.shape import unlike
from cfgc.usercode.reading import Packages, with_user_code
from cfgc.validate.checker import Checked, check_resolved

if TYPE_CHECKING:
    from cfgc.load.reader import Reader
    from cfgc.lower.plan import AnyPlan
    from cfgc.sweep.points import Point

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Told how many points are done, of how many."""


@dataclass(frozen=True)
class Outcome:
    """What came of a point. ``line`` is its JSON, empty where it has errors; ``unlike`` what the scripts cannot do."""

    index: int
    findings: tuple[Diagnostic, ...]
    digest: str = ""
    line: str = ""
    unlike: str = ""


@dataclass(frozen=True)
class Below:
    """What lies below the points that choose the same overlays: the layers without the sweep, and what they make."""

    graph: SpecGraph
    merged: Merged


@dataclass
class Compiler:
    """Compiles points of one spec; what points share is made once."""

    reader: Reader
    graph: SpecGraph
    width: int
    _below: dict[tuple[str, ...], Below | Rejected] = field(default_factory=dict)
    _packages: Packages = field(default_factory=dict)

    def check(self, point: Point) -> Checked:
        """``point`` as a spec that holds. Raises ``Rejected``."""
        below = self.below(point)
        layer = LayerPatch(point.layer, patch_of(point.settings, point.layer))
        graph = replace(below.graph, layers=(*below.graph.layers, layer))
        resolved = resolve_merged(graph, merge_layers([layer], onto=below.merged))
        return check_resolved(with_user_code(self.reader, resolved, self._packages))

    def below(self, point: Point) -> Below:
        """What ``point`` is laid over. Raises ``Rejected``."""
        key = tuple(map(str, point.overlays))
        if key not in self._below:
            try:
                self._below[key] = self._load(point)
            except Rejected as rejected:
                self._below[key] = rejected
        found = self._below[key]
        if isinstance(found, Rejected):
            raise found
        return found

    def _load(self, point: Point) -> Below:
        chosen = [setting.choice() for setting in point.overlays]
        logical, overrides = self.graph.root.logical, self.graph.overrides
        whole = load_spec(self.reader, logical, overrides, chosen=chosen) if chosen else self.graph
        graph = without_sweep(whole)
        return Below(graph, merge_layers(graph.layers))

    def outcome(self, point: Point, base: Base | None) -> Outcome:
        """What comes of ``point``; compared with ``base`` where there is one."""
        try:
            checked = self.check(point)
        except Rejected as rejected:
            return Outcome(point.index, rejected.diagnostics)
        if base is None:
            return Outcome(point.index, checked.warnings)
        plan = lower_spec(checked)
        digest = plan_digest(plan)
        other = unlike(base, plan)
        line = "" if other else line_of(point, self.width, digest, base, plan)
        return Outcome(point.index, checked.warnings, digest, line, other)


def line_of(point: Point, width: int, digest: str, base: Base, plan: AnyPlan) -> str:
    """The line of points.jsonl for ``point``: sorted keys, ASCII."""
    config = difference(base, plan)
    own = {"PLAN_DIGEST": digest} if point.index else {}
    changed = config.pop("config", {})
    assert isinstance(changed, dict)
    content = {
        "index": point.index,
        "name": name_of(point.index, width),
        "overrides": [str(setting) for setting in point.settings],
        "plan_digest": digest,
        "config": {**changed, **own},
        **config,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def name_of(index: int, width: int) -> str:
    """What the run directory of a point is called."""
    return f"{index:0{width}d}"


def outcomes(
    compiler: Compiler, points: Sequence[Point], base: Base | None, progress: Progress | None
) -> Iterator[Outcome]:
    """What comes of each of ``points``, in order; several at once where that pays."""
    for done, outcome in enumerate(spread(lambda index: compiler.outcome(points[index], base), len(points)), 1):
        if progress:
            progress(done, len(points))
        yield outcome


def without_sweep(graph: SpecGraph) -> SpecGraph:
    """``graph`` as if nobody had written a sweep; its defaults stay."""
    return replace(graph, layers=tuple(_bare(layer) for layer in graph.layers))


def _bare(layer: LayerPatch) -> LayerPatch:
    patch = layer.patch
    if layer.layer.kind == "default" or not _speaks(patch):
        return layer
    kept = Patch(_rest(patch.sets), _rest(patch.tables), _rest(patch.unsets), _rest(patch.appends))
    return replace(layer, patch=kept)


def _speaks(patch: Patch) -> bool:
    paths: Iterable[Path] = (*patch.sets, *patch.tables, *patch.unsets, *patch.appends)
    return any(path[:1] == (TABLE,) for path in paths)


def _rest(entries: Mapping[Path, T]) -> Mapping[Path, T]:
    return MappingProxyType({path: entry for path, entry in entries.items() if path[:1] != (TABLE,)})
