"""Lion: sign of an interpolated momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.optimizers.rule import FIRST_RATE, Rule

if TYPE_CHECKING:
    from torch import Tensor


class Lion(Rule):
    """Algorithm 2 of Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), with decoupled decay.

    c = β1·m + (1 - β1)·g; w ← w - lr·(sign(c) + decay·w); m ← β2·m + (1 - β2)·g. One average per weight.
    """

    def __init__(self, groups: list[dict[str, Any]], betas: tuple[float, float]) -> None:
        super().__init__(groups, {"lr": FIRST_RATE, "weight_decay": 0.0, "betas": betas})

    def update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Each entry moves by the rate."""
        (now, later), average = group["betas"], self.average(weight, "exp_avg")
        direction = average.lerp(gradient, 1 - now).sign_()
        weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-group["lr"])
        average.lerp_(gradient, 1 - later)
