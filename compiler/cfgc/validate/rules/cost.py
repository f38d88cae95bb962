"""The work of the run against the time it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.ending import has_room, time_to_run
from cfgc.arithmetic.of_spec import flops_per_token_of, max_steps_of, sequence_length_of, triple_of, world_of
from cfgc.schema.units import format_duration
from cfgc.validate.rules.finding import At, count, warning
from cfgc.validate.rules.intervals import length_key

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

HOUR = 3600

TYPICAL = 0.4
"""Share of the peak that well-tuned dense training reaches on recent GPUs."""

MOST_STARTS = 1000
"""What the schema allows."""


def attempts_are_enough(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG617: the steps fit in all attempts together, were the devices always at their peak."""
    if spec.launch.step_time is not None:
        yield from _in_steps(spec, spec.launch.step_time, resolved)
        return
    triple, steps, peak = triple_of(spec), max_steps_of(spec), spec.hardware.peak_tflops_bf16 * 1e12 * world_of(spec)
    if triple is None or steps is None or peak == 0 or spec.training.precision == "fp32":
        return
    tokens = steps * triple.global_batch_size * sequence_length_of(spec)
    seconds = tokens * flops_per_token_of(spec) / peak
    attempts, limit = spec.launch.max_attempts, spec.launch.time_limit
    if seconds <= attempts * limit:
        return
    needed = int(seconds / limit / TYPICAL) + 1
    yield warning(
        "CFG617",
        "the run cannot finish in the time that all its attempts have",
        resolved,
        [
            At("launch.time_limit", f"{limit / HOUR:,.3g} h each"),
            At("launch.max_attempts", count(attempts, "attempt")),
            At(length_key(spec), f"{count(steps, 'step')} of {triple.global_batch_size:,} samples"),
        ],
        (
            f"{count(attempts, 'attempt')} × {limit / HOUR:,.3g} h = {attempts * limit / HOUR:,.3g} h",
            f"at the peak of {count(world_of(spec), 'device')} {seconds / HOUR:,.3g} h, really 2 to 3 times that",
        ),
        (f"set `max_attempts = {needed}`" if needed <= MOST_STARTS else "", "or train fewer steps, or on more devices"),
    )


def _in_steps(spec: Spec, step: int, resolved: Resolved) -> Iterator[Diagnostic]:
    """The same where the spec says how long a step takes."""
    steps, attempts, room = max_steps_of(spec), spec.launch.max_attempts, time_to_run(spec.launch)
    if steps is None or not has_room(spec.launch) or steps * step <= attempts * room:
        return
    needed = -(-steps // (room // step))
    yield warning(
        "CFG617",
        "the run cannot finish in the time that all its attempts have",
        resolved,
        [
            At("launch.time_limit", f"{format_duration(room)} each until they are asked to save"),
            At("launch.max_attempts", count(attempts, "attempt")),
            At("launch.step_time", f"{format_duration(step)} each"),
            At(length_key(spec), count(steps, "step")),
        ],
        (
            f"{count(attempts, 'attempt')} × {format_duration(room)} = {format_duration(attempts * room)}",
            f"{count(steps, 'step')} × {format_duration(step)} = {format_duration(steps * step)}",
        ),
        (f"set `max_attempts = {needed}`" if needed <= MOST_STARTS else "", "or train fewer steps, or on more devices"),
    )
