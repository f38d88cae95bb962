"""How long before its time limit a run is asked to save, and how long its ranks may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc.schema.launch import Launch
    from cfgc.schema.spec import AnySpec

MINUTE = 60
"""Slurm's limits are whole minutes, and it looks at the clock about twice in each: its signal may come so much late."""

USUAL_S = 300
"""What a step and a save together take where nobody said."""


def needed_to_save(launch: Launch) -> int:
    """Seconds from the request until the ranks have saved, as far as the spec says: a step may have to end first."""
    return (launch.step_time or 0) + (launch.save_time or 0)


def shutdown_grace_of(launch: Launch) -> int:
    """Seconds that ranks get to save, whole minutes unless given."""
    if launch.shutdown_grace is not None:
        return launch.shutdown_grace
    return _computed(launch, 0)


def signal_lead_of(launch: Launch) -> int:
    """Seconds between the signal and the end, whole minutes unless given."""
    if launch.signal_lead is not None:
        return launch.signal_lead
    return _computed(launch, MINUTE)


def has_room(launch: Launch) -> bool:
    """Whether an attempt can start, which takes about as long as a save, make a step, and save."""
    return (launch.save_time or 0) + (launch.step_time or 0) <= time_to_run(launch)


def time_to_run(launch: Launch) -> int:
    """Seconds of an attempt before it is asked to save."""
    return launch.time_limit - signal_lead_of(launch)


def requeues(spec: AnySpec) -> bool:
    """Whether the job may be queued again, by itself or by Slurm: unless it submits its successor, if not said."""
    return not spec.cluster.chain if spec.cluster.requeue is None else spec.cluster.requeue


def _computed(launch: Launch, clock: int) -> int:
    whole = -(-(needed_to_save(launch) + clock) // MINUTE) * MINUTE
    both = launch.step_time is not None and launch.save_time is not None
    return whole if both else max(USUAL_S, whole)
