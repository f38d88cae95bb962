"""The batch triple."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.batch import Conflict, Indivisible, Missing
from cfgc.arithmetic.of_spec import batch_of, data_parallel_of, sequence_length_of, triple_of
from cfgc.validate.rules.batch_helps import TILE, let_one_follow, rows_that_fill_tiles, second_size, sizes_that_divide
from cfgc.validate.rules.finding import At, count, error, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

GLOBAL, MICRO, ACCUMULATION = (
    "training.global_batch_size",
    "training.micro_batch_size",
    "training.gradient_accumulation_steps",
)


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
        (f"set `global_batch_size = {outcome.product}`", let_one_follow(resolved, spec)),
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
        (second_size(spec, outcome),),
    )


def batch_divides(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG403: the size that follows is a whole number."""
    outcome, size = batch_of(spec), spec.training.global_batch_size
    if not isinstance(outcome, Indivisible) or size is None:
        return
    yield error(
        "CFG403",
        f"`training.{outcome.name}` would not be a whole number",
        resolved,
        [place for place in _places(spec) if not place.dotted.endswith(outcome.name)],
        (f"{size} ÷ {outcome.divisor} = {size / outcome.divisor:.6g}" if size < 2**53 else "", copies_note(spec)),
        sizes_that_divide(spec, outcome),
    )


def micro_batch_fills_tiles(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG431: on a GPU, the micro batch is a multiple of 8."""
    triple = triple_of(spec)
    if spec.hardware.device == "cpu" or triple is None or triple.micro_batch_size % TILE == 0:
        return
    micro = triple.micro_batch_size
    if micro * sequence_length_of(spec) % TILE == 0:
        return
    yield warning(
        "CFG431",
        f"the rows of a micro batch are no multiple of {TILE}, which leaves tensor cores partly idle",
        resolved,
        [At(MICRO, count(micro, "sample")), At("data.sequence_length", f"{sequence_length_of(spec)} tokens each")],
        (f"{micro} × {sequence_length_of(spec)} = {micro * sequence_length_of(spec):,} rows in each matrix",),
        rows_that_fill_tiles(spec, triple),
    )


def copies_note(spec: Spec) -> str:
    """Where the data-parallel number comes from."""
    parallel, launch = spec.parallel, spec.launch
    ranks = count(launch.gpus_per_node, "rank" if spec.hardware.device == "cpu" else "GPU")
    return (
        f"data-parallel {data_parallel_of(spec)} = {count(launch.nodes, 'node')} × {ranks} ÷ (tensor "
        f"{parallel.tensor_parallel} × pipeline {parallel.pipeline_parallel} × sequence {parallel.sequence_parallel})"
    )


def _places(spec: Spec) -> list[At]:
    said = spec.training
    return [
        At(GLOBAL, f"{count(said.global_batch_size or 0, 'sample')} per step"),
        At(MICRO, f"{count(said.micro_batch_size or 0, 'sample')} per rank and micro step"),
        At(ACCUMULATION, count(said.gradient_accumulation_steps or 0, "micro step")),
    ]
