"""Gradient health: a bound on the gradient norm that tightens, and a lower learning rate after an explosion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc_runtime.config import GradientHealth


def clipping_bound(rule: GradientHealth, step: int) -> float:
    """The largest gradient norm of optimizer step ``step`` (from 1): a line to the final value at ``warmup_steps``."""
    if step >= rule.warmup_steps:
        return rule.final_clip_value
    return rule.initial_clip_value + (rule.final_clip_value - rule.initial_clip_value) * step / rule.warmup_steps


@dataclass(frozen=True)
class Health:
    """What gradients did so far. ``rate_scale`` multiplies the learning rate of every later step.

    An explosion begins with a norm above the threshold and ends with one that is not, so that several such steps in a
    row are one explosion and lower the rate once.
    """

    explosions: int = 0
    exploding: bool = False
    rate_scale: float = 1.0

    def after(self, norm: float | None, rule: GradientHealth) -> Health:
        """The state after a step whose gradient had ``norm`` before clipping; None when it is unknown or skipped."""
        if not rule.enabled or norm is None:
            return self
        exploding = norm > rule.explosion_threshold
        if not exploding or self.exploding:
            return Health(self.explosions, exploding, self.rate_scale)
        factor = rule.lr_reduction_factor if rule.auto_reduce_lr else 1.0
        return Health(self.explosions + 1, True, self.rate_scale * factor)
