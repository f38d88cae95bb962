"""A sweep through the whole compiler: every point checked, and what they may not do together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Label, Rejected
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan_sweep import Sweep, SweepPoint
from cfgc.origin import dotted
from cfgc.resolve.merge import merge_layers
from cfgc.sweep import errors
from cfgc.sweep.compiling import Compiler, Outcome, Progress, name_of, outcomes
from cfgc.sweep.difference import Base
from cfgc.sweep.findings import Findings
from cfgc.sweep.numbers import told
from cfgc.sweep.points import Point, check_command_line, make_points
from cfgc.sweep.reading import Declared, read_sweep
from cfgc.validate.remedy import Remedy, one_fix

if TYPE_CHECKING:
    from cfgc.load.graph import SpecGraph
    from cfgc.load.reader import Reader
    from cfgc.lower.plan import AnyPlan
    from cfgc.resolve.resolved import Resolved
    from cfgc.validate.checker import Checked

SLURMS_OWN = 1_001
"""Tasks of one array where slurm.conf says nothing (MaxArraySize): their indices go from 0 to 1,000."""
LEAST_WIDTH = 4
"""Digits of a point's run directory."""


def check_sweep(reader: Reader, graph: SpecGraph, resolved: Resolved, progress: Progress | None = None) -> Checked:
    """The first point as it was checked, with all points in its ``sweep``. Raises ``Rejected``.

    Findings name the points that they are about.
    """
    declared = read_sweep(resolved, merge_layers(graph.layers).tree)
    points = make_points(declared, Remedy(resolved))
    check_command_line(points, graph)
    width = max(LEAST_WIDTH, len(str(len(points) - 1)))
    compiler = Compiler(reader, graph, width)
    checked = _first(compiler, points[0])
    base = None if checked is None else Base(lower_spec(checked))
    found = Findings(points)
    done = []
    for outcome in outcomes(compiler, points, base, progress):
        found.add(outcome.index, outcome.findings)
        done.append(replace(outcome, findings=()))
    together = [*_unlike(points, done), *_repeated(points, done), *_chained(checked, declared)]
    said = (*together, *found.said())
    if checked is None or base is None or any(finding.severity == "error" for finding in said):
        raise Rejected(said)
    return replace(checked, warnings=said, sweep=_planned(declared, points, done, width, base.plan))


def _first(compiler: Compiler, point: Point) -> Checked | None:
    try:
        return compiler.check(point)
    except Rejected:
        return None  # it is checked again with the others, which says why


def _planned(declared: Declared, points: Sequence[Point], done: Sequence[Outcome], width: int, base: AnyPlan) -> Sweep:
    planned = (
        SweepPoint(
            index=point.index,
            name=name_of(point.index, width),
            settings=tuple((dotted(setting.key), setting.text) for setting in point.settings),
            plan_digest=outcome.digest,
            line=outcome.line,
        )
        for point, outcome in zip(points, done, strict=True)
    )
    size = base.slurm.max_array_size
    return Sweep(str(declared.said.method), tuple(planned), declared.said.max_parallel or 0, size or SLURMS_OWN)


def _unlike(points: Sequence[Point], done: Sequence[Outcome]) -> list[Diagnostic]:
    """CFG656, once for all points that differ in the same way."""
    groups: dict[str, list[int]] = {}
    for outcome in done:
        if outcome.unlike:
            groups.setdefault(outcome.unlike, []).append(outcome.index)
    return [_other(points, which, differs) for differs, which in list(groups.items())[:10]]


def _other(points: Sequence[Point], which: Sequence[int], differs: str) -> Diagnostic:
    point = points[which[0]]
    who = point.title if len(which) == 1 else f"{len(which):,} points ({told(which)})"
    changed = [s for s in point.settings if s not in points[0].settings] or list(point.settings)
    before = next((s for s in points[0].settings if s.key == changed[0].key), points[0].settings[0])
    labels = Label(before.span, points[0].title), Label(changed[0].span, f"point {point.index}")
    return errors.other_allocation(who, "point 0", differs, *labels)


def _repeated(points: Sequence[Point], done: Sequence[Outcome]) -> list[Diagnostic]:
    """CFG655."""
    first: dict[str, int] = {}
    pairs: list[tuple[int, int]] = []
    for outcome in done:
        if outcome.digest and first.setdefault(outcome.digest, outcome.index) != outcome.index:
            pairs.append((first[outcome.digest], outcome.index))
    if not pairs:
        return []
    one, other = pairs[0]
    labels = [Label(points[index].settings[-1].span, f"point {index}") for index in (one, other)]
    named = [(f"point {one}", points[other].title) for one, other in pairs]
    if labels[0].span == labels[1].span:
        return [errors.same_runs(named, len(pairs), None, labels[1])]
    return [errors.same_runs(named, len(pairs), labels[0], labels[1])]


def _chained(checked: Checked | None, declared: Declared) -> list[Diagnostic]:
    """CFG659: chains of jobs wait for everything of the same name."""
    if checked is None or not checked.spec.cluster.chain:
        return []
    leaf = checked.resolved.get("cluster.chain")
    fix = one_fix(Remedy(checked.resolved).set(("cluster", "chain"), value=False))
    return [errors.chained(declared.place, leaf.origin.span if leaf else None, fix)]
