"""The learning rate: a pure function of the step."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc_runtime.config import Schedule


def learning_rate(schedule: Schedule, step: int) -> float:
    """The rate of optimizer step ``step``, counted from 1: linear from 0, at its peak at ``warmup_steps``.

    Step ``n`` has the rate that torch's and transformers' schedulers have after ``n`` calls. After the warm-up:

    - constant: the peak;
    - linear, cosine, polynomial: down to the final rate at ``max_steps``, polynomial as the remaining share of the
      steps to the power of ``power``;
    - wsd: the peak, then down over the last ``decay_steps``, in a line, a half cosine or as 1 - sqrt(share done);
    - step: the peak times ``gamma`` for every milestone (or every multiple of ``step_size``) reached, never below the
      final rate.
    """
    peak, final = schedule.learning_rate, schedule.final_learning_rate
    if step < schedule.warmup_steps:
        return peak * step / schedule.warmup_steps
    if schedule.scheduler == "constant":
        return peak
    if schedule.scheduler == "step":
        return max(final, peak * schedule.gamma ** _drops(schedule, step))
    decay_steps = schedule.decay_steps if schedule.scheduler == "wsd" else schedule.max_steps - schedule.warmup_steps
    left = max(0, min(decay_steps, schedule.max_steps - step))
    done = 1.0 - left / decay_steps if decay_steps else 1.0
    return final + (peak - final) * _share(schedule, done)


def _drops(schedule: Schedule, step: int) -> int:
    return step // schedule.step_size if schedule.step_size else bisect_right(schedule.milestones, step)


def _share(schedule: Schedule, done: float) -> float:
    """The part of the way down that is left when ``done`` of the decay's steps are over."""
    if schedule.scheduler == "polynomial":
        return float((1.0 - done) ** schedule.power)
    if schedule.decay == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * done))
    return 1.0 - (math.sqrt(done) if schedule.decay == "sqrt" else done)
