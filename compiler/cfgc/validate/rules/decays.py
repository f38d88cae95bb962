"""Where the learning rate falls: between warm-up and the end of the run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import max_steps_of
from cfgc.validate.rules.finding import At, count, error
from cfgc.validate.rules.intervals import length_place

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

TYPE, DECAY = "training.scheduler.type", "training.scheduler.decay_steps"
SIZE, MILESTONES = "training.scheduler.step_size", "training.scheduler.milestones"
WARMUP = "training.warmup_steps"


def decay_fits(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG488: every fall of the rate comes after the warm-up and before the end."""
    steps, warmup, said = max_steps_of(spec), spec.training.warmup_steps, spec.training.scheduler
    if steps is None or warmup >= steps:
        return
    ends = [At(WARMUP, f"rises for {count(warmup, 'step')}"), length_place(spec, steps)]
    if said.type == "wsd" and said.decay_steps is not None and warmup + said.decay_steps > steps:
        note = f"warm-up {warmup:,} + decay {said.decay_steps:,} = {warmup + said.decay_steps:,} > {steps:,} steps"
        place = At(DECAY, f"falls for {count(said.decay_steps, 'step')}")
        yield _misplaced(
            resolved, [place, *ends], note, f"set `decay_steps = {max(1, min(steps // 5, steps - warmup))}`"
        )
    if said.type == "step" and said.step_size is not None and not warmup < said.step_size <= steps:
        place = At(SIZE, f"first drops at step {said.step_size:,}")
        yield _misplaced(resolved, [place, *ends], "", f"set `step_size = {warmup + max(1, (steps - warmup) // 3)}`")
    if said.type == "step" and said.milestones and not _rises((warmup, *said.milestones, steps + 1)):
        third = max(1, (steps - warmup) // 3)
        note = "milestones are steps of the run in rising order, after the warm-up"
        helps = f"set `milestones = [{warmup + third}, {min(steps, warmup + 2 * third)}]`"
        yield _misplaced(resolved, [At(MILESTONES, "the rate drops at these steps"), *ends], note, helps)


def drops_are_said_once(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG489: a step schedule says when it drops, in one way."""
    said = spec.training.scheduler
    if said.type != "step" or (said.step_size is None) != (not said.milestones):
        return
    twice = said.step_size is not None
    places = (
        [At(SIZE, "drops again and again"), At(MILESTONES, "drops at these steps")] if twice else [At(TYPE, "when?")]
    )
    third = max(2, (max_steps_of(spec) or 3000) // 3)
    yield error(
        "CFG489",
        f"a step schedule drops the rate at {'two kinds of steps' if twice else 'no step'}",
        resolved,
        places,
        (),
        ("keep `step_size`, or `milestones`",) if twice else (f"add `step_size = {third}`, or `milestones`",),
    )


def _misplaced(resolved: Resolved, places: list[At], note: str, help_: str) -> Diagnostic:
    message = "the learning rate does not fall between the warm-up and the end of the run"
    return error("CFG488", message, resolved, places, (note,), (help_,))


def _rises(steps: tuple[int, ...]) -> bool:
    return all(before < after for before, after in pairwise(steps))
