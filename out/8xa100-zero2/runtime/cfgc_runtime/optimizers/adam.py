"""Adam's direction, which LAMB and the other half of Muon start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from cfgc_runtime.optimizers.rule import Rule


def adam_direction(rule: Rule, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> Tensor:
    """m̂ / (√v̂ + ε) after one more gradient (Kingma and Ba, "Adam", 2015, algorithm 1)."""
    (first, second), step = group["betas"], rule.count(weight)
    mean = rule.average(weight, "exp_avg").lerp_(gradient, 1 - first)
    square = rule.average(weight, "exp_avg_sq").mul_(second).addcmul_(gradient, gradient, value=1 - second)
    root = (square / (1 - second**step)).sqrt_().add_(group["eps"])
    direction: Tensor = (mean / (1 - first**step)).div_(root)
    return direction
