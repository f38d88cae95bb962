"""Muon for hidden matrices, AdamW for the rest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from cfgc_runtime.optimizers.adam import adam_direction
from cfgc_runtime.optimizers.rule import FIRST_RATE, Rule

if TYPE_CHECKING:
    from collections.abc import Collection

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_EPS = 1e-7


class Muon(Rule):
    """Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024), with Nesterov momentum.

    m ← μ·m + (1 - μ)·g; w ← w·(1 - lr·decay) - lr·0.2·√max(rows, columns)·orthogonal((1 - μ)·g + μ·m). The factor
    gives the update the size of AdamW's (Liu et al., "Muon is Scalable for LLM Training", 2025), so that both halves
    take one rate and one decay. Groups have ``muon``; those without it are updated by AdamW.
    """

    def __init__(self, groups: list[dict[str, Any]], momentum: float, betas: tuple[float, float], eps: float) -> None:
        defaults = {"lr": FIRST_RATE, "weight_decay": 0.0, "momentum": momentum, "betas": betas, "eps": eps}
        super().__init__(groups, {**defaults, "muon": False})

    def update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """A matrix as a whole, or each entry by itself."""
        rate = group["lr"]
        if group["muon"]:
            average, momentum = self.average(weight, "momentum_buffer"), group["momentum"]
            average.lerp_(gradient, 1 - momentum)
            direction = orthogonal(gradient.lerp(average, momentum))
            step = rate * 0.2 * math.sqrt(max(weight.shape))
        else:
            direction, step = adam_direction(self, weight, gradient, group), rate
        weight.mul_(1 - rate * group["weight_decay"]).add_(direction, alpha=-step)


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix with orthogonal rows or columns, roughly: five Newton-Schulz iterations in bf16."""
    first, second, third = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.bfloat16().T if tall else matrix.bfloat16()
    x = x / x.norm().clamp(min=_EPS)
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = x.addmm(gram.addmm(gram, gram, beta=second, alpha=third), x, beta=first)
    return x.T if tall else x


def hidden_matrices(model: nn.Module) -> Collection[int]:
    """``id`` of the two-dimensional weights that are neither an embedding nor as tall as the largest one (a head)."""
    tables = [module.weight for module in model.modules() if isinstance(module, nn.Embedding)]
    tallest = max((len(table) for table in tables), default=0)
    known = {id(table) for table in tables}
    return {
        id(weight)
        for weight in model.parameters()
        if weight.dim() == 2 and id(weight) not in known and weight.shape[0] != tallest
    }
