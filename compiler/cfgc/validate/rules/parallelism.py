"""Ranks and how they are grouped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import model_parallel_of, world_of
from cfgc.validate.rules.finding import At, count, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec


def ranks_split_evenly(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG404: the world is a multiple of the ranks that share a model."""
    world, group = world_of(spec), model_parallel_of(spec)
    if group > world or world % group == 0:
        return
    yield error(
        "CFG404",
        "the ranks do not split into whole copies of the model",
        resolved,
        _places(spec),
        (_world_note(spec), f"{world} ÷ {group} leaves {world % group}"),
        (f"start {world // group * group} or {-(-world // group) * group} ranks in all, or share a model among fewer",),
    )


def enough_ranks_for_a_model(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG405: one copy of the model fits in the world."""
    world, group = world_of(spec), model_parallel_of(spec)
    if group <= world:
        return
    yield error(
        "CFG405",
        f"one copy of the model needs {count(group, 'rank')}, and there {'is' if world == 1 else 'are'} {world}",
        resolved,
        _places(spec),
        (_world_note(spec), _group_note(spec)),
        (f"start at least {group} ranks (`launch.nodes` × `launch.gpus_per_node`), or lower the parallel sizes",),
    )


def experts_divide(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG406: every rank of an expert group holds the same number of experts."""
    experts, ranks = spec.model.moe.num_experts or 0, spec.parallel.expert_parallel
    if ranks == 1 or (experts and experts % ranks == 0):
        return
    places = [
        At("parallel.expert_parallel", f"{count(ranks, 'rank')} share the experts"),
        At("model.moe.num_experts", count(experts, "expert")),
    ]
    reason = f"{experts} ÷ {ranks} leaves {experts % ranks}" if experts else "a dense model has no experts"
    yield error(
        "CFG406",
        "the experts do not divide over `parallel.expert_parallel`",
        resolved,
        places,
        (reason,),
        ("set `expert_parallel = 1`, or a divisor of `model.moe.num_experts`",),
    )


def enough_experts_for_a_token(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG407: a token is sent to no more experts than there are."""
    experts, chosen = spec.model.moe.num_experts, spec.model.moe.num_experts_per_token
    if chosen is None or chosen <= (experts or 0):
        return
    yield error(
        "CFG407",
        f"a token is sent to {count(chosen, 'expert')} of {experts or 0}",
        resolved,
        [
            At("model.moe.num_experts_per_token", f"{chosen} for each token"),
            At("model.moe.num_experts", f"{experts or 0} in each layer"),
        ],
        (),
        (
            f"set `num_experts_per_token = {min(2, experts)}`"
            if experts
            else "drop `num_experts_per_token`; the model is dense",
        ),
    )


def _places(spec: Spec) -> list[At]:
    parallel, launch = spec.parallel, spec.launch
    sizes = [
        ("tensor_parallel", parallel.tensor_parallel),
        ("pipeline_parallel", parallel.pipeline_parallel),
        ("sequence_parallel", parallel.sequence_parallel),
    ]
    shared = [At(f"parallel.{name}", f"{name.split('_')[0]} {size}") for name, size in sizes if size > 1]
    return [
        *shared,
        At("launch.gpus_per_node", f"{launch.gpus_per_node} on each node"),
        At("launch.nodes", f"{launch.nodes}"),
    ]


def _world_note(spec: Spec) -> str:
    return f"{count(spec.launch.nodes, 'node')} × {spec.launch.gpus_per_node} = {count(world_of(spec), 'rank')}"


def _group_note(spec: Spec) -> str:
    parallel = spec.parallel
    return (
        f"tensor {parallel.tensor_parallel} × pipeline {parallel.pipeline_parallel} × sequence "
        f"{parallel.sequence_parallel} = {model_parallel_of(spec)}"
    )
