"""The resolve phase: merge the layers, then evaluate ``${…}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.graph import SpecGraph
from cfgc.load.limit_errors import too_many_mistakes
from cfgc.load.text_order import in_text_order
from cfgc.origin import Leaf, Origin, Path, Value, dotted
from cfgc.patch import Tree
from cfgc.resolve import errors
from cfgc.resolve.expression import ExpressionError, Reference
from cfgc.resolve.interpolate import (
    MAX_HOLES,
    MAX_NODES,
    MAX_TEXTS,
    Templates,
    count_holes,
    fill,
    larger_than,
    templates_of,
    text_size,
)
from cfgc.resolve.keys import find_target, pick
from cfgc.resolve.merge import Merged, merge_layers
from cfgc.resolve.order import Link, evaluation_order
from cfgc.resolve.resolved import Resolved
from cfgc.source import Span

NOTHING_TO_UNSET = "CFG202"
"""The one disagreement of layers that changes nothing below it: the rest is judged all the same."""


MOST = 100
"""Bad references that are explained."""


@dataclass(frozen=True)
class Interpolated:
    """The value of every key that has one, and why the others have none."""

    values: Mapping[Path, Value]
    problems: tuple[Diagnostic, ...]


def resolve_graph(graph: SpecGraph) -> Resolved:
    """The final value and origins of every key. Raises ``Rejected`` when the layers can't be merged."""
    return resolve_merged(graph, merge_layers(graph.layers))


def resolve_merged(graph: SpecGraph, merged: Merged) -> Resolved:
    """The same, of layers that were ``merged`` already."""
    found = tuple(in_text_order([*graph.findings, *merged.problems]))
    if any(problem.code != NOTHING_TO_UNSET for problem in merged.problems):
        raise Rejected(found)
    done = interpolate(merged.tree)
    leaves = {path: Leaf(done.values[path], origin) for path, origin in merged.tree.items() if path in done.values}
    return Resolved(
        leaves=MappingProxyType(leaves),
        graph=replace(graph, findings=found),
        unresolved={path: origin for path, origin in merged.tree.items() if path not in done.values},
        findings=done.problems,
        removed=merged.removed,
    )


def interpolate(tree: Tree) -> Interpolated:
    """The value of every key of ``tree`` after interpolation. Raises ``Rejected`` when there are too many ``${…}``."""
    parsed = {path: templates_of(path, origin) for path, origin in tree.items()}
    templates = {path: found for path, found in parsed.items() if found.by_position or found.problems}
    holes = sum(map(count_holes, templates.values()))
    if holes > MAX_HOLES:
        raise Rejected([errors.too_many_holes(holes, MAX_HOLES)])
    problems = [problem for found in templates.values() for problem in found.problems]
    failed = {path for path, found in templates.items() if found.problems}
    links: dict[Path, list[Link]] = {}
    for path, found in templates.items():
        links[path], unknown = _links(path, found, tree)
        problems += [explain() for explain in unknown[: max(MOST - len(problems), 0)]]
        failed |= {path} if unknown else set()
    order, circles = evaluation_order(links)
    problems += [errors.reference_cycle(circle) for circle in circles]
    failed |= {link.source for circle in circles for link in circle}
    values: dict[Path, Value] = {path: origin.value for path, origin in tree.items() if path not in templates}
    room = MAX_TEXTS
    for path in order:
        if path in failed or any(link.target in failed for link in links[path]):
            failed.add(path)
            continue
        try:
            values[path] = _value(path, tree[path], templates[path], values)
        except Rejected as rejected:
            problems += rejected.diagnostics if len(problems) < MOST else ()
            failed.add(path)
            continue
        room -= text_size(values[path])
        if room < 0:
            raise Rejected([errors.texts_too_long(MAX_TEXTS, tree[path].span)])
    if len(problems) >= MOST:
        problems.append(too_many_mistakes(len(failed), MOST))
    return Interpolated(values, tuple(in_text_order(problems)))


def _links(path: Path, templates: Templates, tree: Tree) -> tuple[list[Link], list[Callable[[], Diagnostic]]]:
    """What the leaf ``path`` refers to, and what there is to say of its references to nothing."""
    links: list[Link] = []
    unknown: list[Callable[[], Diagnostic]] = []
    for template in templates.by_position.values():
        for reference, find in template.references():
            target = find_target(reference.path, tree)
            if target is None:
                unknown.append(partial(_unknown_reference, path, reference, tree, find))
            else:
                links += [Link(path, leaf, find) for leaf in target.leaves]
    return links, unknown


def _unknown_reference(path: Path, reference: Reference, tree: Tree, find: Callable[[], Span | None]) -> Diagnostic:
    return errors.unknown_reference(reference.path, list(tree), find(), dotted(path))


def _value(path: Path, origin: Origin, templates: Templates, values: Mapping[Path, Value]) -> Value:
    def lookup(reference: Reference) -> Value:
        target = find_target(reference.path, values)
        found = None if target is None else pick(target, values)
        if found is None:
            raise ExpressionError("reference", "there is nothing at that place", reference.start, reference.end)
        return found

    value = fill(origin.value, templates.by_position, lookup)
    if larger_than(value, MAX_NODES):
        raise Rejected([errors.value_too_large(path, MAX_NODES, origin.span)])
    return value
