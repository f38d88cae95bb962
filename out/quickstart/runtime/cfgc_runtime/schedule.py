"""The learning rate: a pure function of the step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc_runtime.config import Schedule


def learning_rate(schedule: Schedule, step: int) -> float:
    """The rate of optimizer step ``step``, counted from 1: linear from 0, at its peak at ``warmup_steps``.

    After the warm-up: constant, or linear or cosine down to ``final_learning_rate`` at ``max_steps``.
    """
    peak, final = schedule.learning_rate, schedule.final_learning_rate
    if step < schedule.warmup_steps:
        return peak * step / schedule.warmup_steps
    if schedule.scheduler == "constant":
        return peak
    decay_steps = schedule.max_steps - schedule.warmup_steps
    progress = min(1.0, (step - schedule.warmup_steps) / decay_steps) if decay_steps else 1.0
    if schedule.scheduler == "linear":
        return peak + (final - peak) * progress
    return final + (peak - final) * 0.5 * (1.0 + math.cos(math.pi * progress))
