"""What PLAN.md says a run costs at most: GPU-hours and room on the disk."""

from __future__ import annotations

from cfgc.arithmetic.schedule import rank_hours
from cfgc.emit.markdown import counted, duration
from cfgc.lower.plan import AnyPlan, Plan


def wall_time_limit(plan: AnyPlan) -> str:
    """``24 h = 192 GPU-hours``: what one attempt takes at most."""
    return duration(plan.launch.time_limit_s) + _equals(gpu_hours(plan))


def most_attempts(plan: AnyPlan) -> str:
    """``at most 5 = 960 GPU-hours``: what all of them take together."""
    attempts = plan.launch.max_attempts
    return f"at most {attempts:,}" + (_equals(attempts * gpu_hours(plan)) if attempts > 1 else "")


def gpu_hours(plan: AnyPlan) -> float:
    """GPU-hours of an attempt that takes its whole time; 0 where there are no GPUs."""
    if plan.topology.device != "cuda":
        return 0.0
    if isinstance(plan, Plan):
        return plan.estimate.gpu_hours
    return rank_hours(plan.topology.world_size, plan.launch.time_limit_s)


def in_gpu_hours(hours: float) -> str:
    """``192 GPU-hours``, ``0.25 GPU-hours``."""
    return counted(round(hours), "GPU-hour") if hours >= 1 else f"{hours:.2g} GPU-hours"


def saves(plan: Plan) -> int:
    """How many checkpoints a run that nobody interrupts makes: at its end always one."""
    every, steps = plan.checkpoint.every_steps, plan.schedule.max_steps
    return -(-steps // every) if 0 < every < steps else 1


def bytes_kept(plan: Plan) -> int:
    """Bytes of the checkpoints that stay; 0 is unknown."""
    said, made = plan.checkpoint, saves(plan)
    kept = min(made, said.keep_last + said.keep_best) if said.keep_last else made
    return kept * said.bytes_each


def _equals(hours: float) -> str:
    return f" = {in_gpu_hours(hours)}" if hours else ""
