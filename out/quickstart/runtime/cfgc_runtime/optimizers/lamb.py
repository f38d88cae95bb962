"""LAMB: Adam's direction, as long as the weights of its layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.optimizers.adam import adam_direction
from cfgc_runtime.optimizers.rule import FIRST_RATE, Rule

if TYPE_CHECKING:
    from torch import Tensor


class Lamb(Rule):
    """Algorithm 2 of You et al., "Large Batch Optimization for Deep Learning" (2020), with φ(z) = z.

    u = m̂ / (√v̂ + ε) + decay·w; w ← w - lr·‖w‖/‖u‖·u, and a ratio of 1 when either norm is 0. The norms are those of
    whole parameters, so that it cannot work on ZeRO's partitions.
    """

    def __init__(self, groups: list[dict[str, Any]], betas: tuple[float, float], eps: float) -> None:
        super().__init__(groups, {"lr": FIRST_RATE, "weight_decay": 0.0, "betas": betas, "eps": eps})

    def update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """One ratio for the whole parameter."""
        direction = adam_direction(self, weight, gradient, group).add_(weight, alpha=group["weight_decay"])
        size, length = float(weight.norm()), float(direction.norm())
        ratio = size / length if size > 0 and length > 0 else 1.0
        weight.add_(direction, alpha=-group["lr"] * ratio)
