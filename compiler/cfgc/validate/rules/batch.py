"""The batch triple."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd
from typing import TYPE_CHECKING

from cfgc.arithmetic.batch import Conflict, Indivisible, Missing
from cfgc.arithmetic.of_spec import batch_of, data_parallel_of, triple_of
from cfgc.validate.rules.finding import At, error, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

GLOBAL, MICRO, ACCUMULATION = (
    "training.global_batch_size",
    "training.micro_batch_size",
    "training.gradient_accumulation_steps",
)

TILE = 8
"""Matrix kernels at two bytes a number work on multiples of 8 rows without padding."""


def batch_holds(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG401: the three sizes and the data-parallel ranks multiply."""
    outcome = batch_of(spec)
    if not isinstance(outcome, Conflict):
        return
    said = spec.training
    micro, accumulation = said.micro_batch_size, said.gradient_accumulation_steps
    factors = f"micro {micro} × accumulation {accumulation} × data-parallel {data_parallel_of(spec)}"
    yield error(
        "CFG401",
        "the batch sizes cannot all hold",
        resolved,
        _places(spec),
        (
            f"{said.global_batch_size} ≠ {factors} = {outcome.product}",
            copies_note(spec),
        ),
        (f"set `global_batch_size = {outcome.product}`, or drop one of the three and let it follow",),
    )


def batch_is_determined(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG402: two of the three are given."""
    outcome = batch_of(spec)
    if not isinstance(outcome, Missing):
        return
    given = f"only `training.{outcome.given[0]}` is" if outcome.given else "none is"
    places = [place for place in _places(spec) if place.dotted.removeprefix("training.") in outcome.given]
    yield error(
        "CFG402",
        f"two of the three batch sizes must be given, {given}",
        resolved,
        places or [At(GLOBAL, "no batch size here")],
        ("global = micro × accumulation × data-parallel, so that two fix the third", copies_note(spec)),
        (_second_size(spec, outcome),),
    )


def batch_divides(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG403: the size that follows is a whole number."""
    outcome, size = batch_of(spec), spec.training.global_batch_size
    if not isinstance(outcome, Indivisible) or size is None:
        return
    below = max(1, size // outcome.divisor) * outcome.divisor
    above = -(-size // outcome.divisor) * outcome.divisor
    fitting = f"`global_batch_size = {below}`" + (f" or `{above}`" if above != below else "")
    yield error(
        "CFG403",
        f"`training.{outcome.name}` would not be a whole number",
        resolved,
        [place for place in _places(spec) if not place.dotted.endswith(outcome.name)],
        (f"{size} ÷ {outcome.divisor} = {size / outcome.divisor:.6g}" if size < 2**53 else "", copies_note(spec)),
        (f"set {fitting}",),
    )


def micro_batch_fills_tiles(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG431: on a GPU, the micro batch is a multiple of 8."""
    triple = triple_of(spec)
    if spec.hardware.device == "cpu" or triple is None or triple.micro_batch_size % TILE == 0:
        return
    micro = triple.micro_batch_size
    if micro * spec.data.sequence_length % TILE == 0:
        return
    yield warning(
        "CFG431",
        f"the rows of a micro batch are no multiple of {TILE}, which leaves tensor cores partly idle",
        resolved,
        [At(MICRO, f"{micro} samples"), At("data.sequence_length", f"{spec.data.sequence_length} tokens each")],
        (f"{micro} × {spec.data.sequence_length} = {micro * spec.data.sequence_length:,} rows in each matrix",),
        (f"set `micro_batch_size = {-(-micro // TILE) * TILE}`, or a `sequence_length` that 8 divides",),
    )


def copies_note(spec: Spec) -> str:
    """Where the data-parallel number comes from."""
    parallel, launch = spec.parallel, spec.launch
    ranks = "ranks" if spec.hardware.device == "cpu" else "GPUs"
    nodes = "1 node" if launch.nodes == 1 else f"{launch.nodes} nodes"
    return (
        f"data-parallel {data_parallel_of(spec)} = {nodes} × {launch.gpus_per_node} {ranks} ÷ (tensor "
        f"{parallel.tensor_parallel} × pipeline {parallel.pipeline_parallel} × sequence {parallel.sequence_parallel})"
    )


def _places(spec: Spec) -> list[At]:
    said = spec.training
    return [
        At(GLOBAL, f"{said.global_batch_size} samples per step"),
        At(MICRO, f"{said.micro_batch_size} samples per rank and micro step"),
        At(ACCUMULATION, f"{said.gradient_accumulation_steps} micro steps"),
    ]


def _second_size(spec: Spec, outcome: Missing) -> str:
    copies = data_parallel_of(spec) or 1
    if "global_batch_size" in outcome.given:
        size = spec.training.global_batch_size or 1
        return f"add `micro_batch_size = {gcd(max(1, size // copies), TILE)}`; the accumulation follows"
    if "micro_batch_size" in outcome.given:
        size = (spec.training.micro_batch_size or 1) * copies
        return f"add `global_batch_size = {size}` (no accumulation) or a multiple of it"
    if outcome.given:
        return "add `micro_batch_size = 8`; the global batch follows"
    return f"write `global_batch_size = {8 * copies}` and `micro_batch_size = 8`"
