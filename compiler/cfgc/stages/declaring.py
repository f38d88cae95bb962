"""The array of stages: its form, its names, and its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from keyword import iskeyword
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.graph import SpecGraph
from cfgc.lower.plan import NodePath
from cfgc.lower.sections import node_path
from cfgc.origin import Leaf
from cfgc.resolve.merge import Merged, merge_layers
from cfgc.resolve.resolved import Resolved
from cfgc.resolve.resolver import resolve_merged
from cfgc.schema.stages import PipelineSpec
from cfgc.stages import errors
from cfgc.stages.asked import STAGES
from cfgc.stages.outputs import uses_in, values_of
from cfgc.stages.pipeline import Declared, Said, in_order
from cfgc.validate.checker import in_order as by_place
from cfgc.validate.schema_check import refusals


def declare(graph: SpecGraph) -> tuple[Declared, list[Diagnostic]]:
    """The pipeline, and what is wrong with the order of its stages. Raises ``Rejected`` when it has no form."""
    merged = merge_layers(graph.layers)
    if STAGES not in merged.tree or not merged.tree[STAGES].value:
        raise Rejected([*graph.findings, *errors.named_as_keys(graph, merged.problems)])
    root = _root(graph, merged)
    tree = root.tree()
    own: dict[str, Any] = {key: tree[key] for key in ("experiment", "launch", "stages") if key in tree}
    try:
        spec = PipelineSpec.model_validate(own)
    except ValidationError as error:
        found = [*graph.findings, *merged.problems, *refusals(root, error).findings]
        raise Rejected(by_place(root, found)) from None
    run_dir = spec.launch.run_dir
    declared = Declared(
        root,
        spec.experiment.name,
        NodePath("cwd", "", f"runs/{spec.experiment.name}") if run_dir is None else node_path(run_dir),
        tuple(Said(index, one.name, one.needs, one.spec or "", one.set) for index, one in enumerate(spec.stages)),
    )
    found = list(_names(declared))
    if not found:
        found = list(_order(declared))
    return declared, found


def _root(graph: SpecGraph, merged: Merged) -> Resolved:
    """The pipeline's own spec. What a stage sets is evaluated in that stage."""
    array = merged.tree[STAGES]
    tree = {path: origin for path, origin in merged.tree.items() if path != STAGES}
    outputs = values_of(list(uses_in(tree)))
    resolved = resolve_merged(graph, replace(merged, tree={**tree, **outputs}))
    leaves = {path: leaf for path, leaf in resolved.leaves.items() if path not in outputs}
    return replace(resolved, leaves=MappingProxyType({**leaves, STAGES: Leaf(array.value, array)}))


def _names(declared: Declared) -> Iterator[Diagnostic]:
    """CFG660: every stage has a name of its own, which an expression can say."""
    first: dict[str, Said] = {}
    for said in declared.stages:
        if said.name in first:
            yield errors.same_name(declared, said, first[said.name])
        elif not said.name.isidentifier() or iskeyword(said.name):
            yield errors.name_cannot_be_referred_to(declared, said)
        first.setdefault(said.name, said)


def _order(declared: Declared) -> Iterator[Diagnostic]:
    """CFG661, CFG663: what a stage needs is there, and comes before it."""
    names = {said.name for said in declared.stages}
    for said in declared.stages:
        for index, name in enumerate(said.needs):
            if name not in names:
                yield errors.unknown_need(declared, said, index)
    _, stuck = in_order(declared.stages)
    if stuck:
        yield errors.circle(declared, stuck)
