"""What fits into the wall time of an attempt, once the spec says how long a step and a save take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.ending import MINUTE, has_room, needed_to_save, shutdown_grace_of, signal_lead_of, time_to_run
from cfgc.arithmetic.of_spec import checkpoint_steps_of, max_steps_of
from cfgc.schema.units import format_duration
from cfgc.validate.rules.finding import At, count, error, warning
from cfgc.validate.rules.intervals import interval_key
from cfgc.validate.stage_paths import lies_among_stages

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.launch import Launch
    from cfgc.schema.spec import AnySpec, Spec

LIMIT, LEAD, GRACE = "launch.time_limit", "launch.signal_lead", "launch.shutdown_grace"
STEP, SAVE = "launch.step_time", "launch.save_time"
CHAIN, REQUEUE = "cluster.chain", "cluster.requeue"


def computed(launch: Launch, *keys: str) -> tuple[str, ...]:
    """A note for each of the ``keys`` that nobody gave."""
    times = {LEAD: signal_lead_of(launch), GRACE: shutdown_grace_of(launch)}
    said = {LEAD: launch.signal_lead, GRACE: launch.shutdown_grace}
    return tuple(f"`{key}` is computed: {format_duration(times[key])}" for key in keys if said[key] is None)


def interval_fits(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG645: an attempt that nobody asks to stop reaches its first checkpoint."""
    every, step, steps = checkpoint_steps_of(spec), spec.launch.step_time, max_steps_of(spec)
    room = time_to_run(spec.launch)
    if step is None or not has_room(spec.launch) or every * step <= room or (steps is not None and steps < every):
        return
    yield warning(
        "CFG645",
        "an attempt ends before its first checkpoint, and one that is killed was for nothing",
        resolved,
        [
            At(interval_key(spec, "checkpoint"), f"saves after {count(every, 'step')}"),
            At(STEP, f"{format_duration(step)} each"),
            At(LIMIT, f"{format_duration(room)} until it is asked to save"),
        ],
        (
            f"{count(every, 'step')} × {format_duration(step)} = {format_duration(every * step)}",
            "what is left then is the save that the signal before the time limit asks for",
        ),
        (f"set `checkpoint.every_steps = {max(1, room // step // 4)}`, four in an attempt",),
    )


def step_fits(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG646: an attempt has room for its start, a step and a save."""
    launch = spec.launch
    lead, start = signal_lead_of(launch), launch.save_time or 0
    least = start + (launch.step_time or 0) + lead
    if needed_to_save(launch) == 0 or lead >= launch.time_limit or has_room(launch):
        return
    longer = format_duration(-(-2 * least // MINUTE) * MINUTE)
    yield error(
        "CFG646",
        "an attempt is asked to save before it has made a step",
        resolved,
        [
            At(LIMIT, f"{format_duration(launch.time_limit)} in all"),
            At(LEAD, f"asked to save {format_duration(lead)} before the end"),
            *([At(STEP, f"a step takes {format_duration(launch.step_time)}")] if launch.step_time else []),
            *([At(SAVE, f"a save takes {format_duration(start)}, and so does reading it")] if start else []),
        ],
        (
            *computed(launch, LEAD),
            f"start, step and lead take {format_duration(least)}; no attempt would bring the run further",
        ),
        (f'set `time_limit = "{longer}"`',),
    )


def save_fits(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG648: a step and a save have the time that the spec says they take."""
    need, launch = needed_to_save(spec.launch), spec.launch
    lead, grace = signal_lead_of(launch), shutdown_grace_of(launch)
    if need <= min(lead, grace):
        return
    late = [At(LEAD, f"{format_duration(lead)} before the end")] if lead < need else []
    short = [At(GRACE, f"ranks get {format_duration(grace)}")] if grace < need else []
    names = " and ".join(f"`{place.dotted.partition('.')[2]}`" for place in (*late, *short))
    yield warning(
        "CFG648",
        "the run ends before it has saved",
        resolved,
        [
            *(late + short),
            *([At(STEP, "has to end first")] if launch.step_time else []),
            *([At(SAVE, "then this")] if launch.save_time else []),
        ],
        (f"a step and a save take {format_duration(need)}",),
        (f"drop {names}: computed from these when left out",),
    )


def one_way_back(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG649: a job comes back in one way."""
    if not (spec.cluster.chain and spec.cluster.requeue):
        return
    yield error(
        "CFG649",
        "a job that is queued again has no successor",
        resolved,
        [At(CHAIN, "submits its successor"), At(REQUEUE, "is queued again itself")],
        ("both would start the run twice",),
        ("drop `requeue`, where the site forbids it", "or set `chain = false`"),
    )


def stages_keep_their_job(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG647: the stages that follow wait for the job that was submitted."""
    if not spec.cluster.chain or not lies_among_stages(spec):
        return
    yield error(
        "CFG647",
        "a stage of a pipeline cannot be a chain of jobs",
        resolved,
        [At(CHAIN, "goes on in another job")],
        ("the stages that need it wait for the job that was submitted, and not for its successors",),
        ("set `chain = false`: the job is queued again then, and keeps its id",),
    )
