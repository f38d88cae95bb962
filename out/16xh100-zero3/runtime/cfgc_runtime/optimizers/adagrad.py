"""Adagrad, with states made when a weight is first updated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.optimizers.rule import FIRST_RATE, Rule

if TYPE_CHECKING:
    from torch import Tensor


class Adagrad(Rule):
    """Duchi, Hazan and Singer, "Adaptive Subgradient Methods" (2011): s ← s + g²; w ← w - lr·g / (√s + ε).

    Weight decay is plain L2, as in torch's, which is not used because DeepSpeed makes it anew for its partitions, all
    of them in one group with one decay (``initialize_optimizer_states``, runtime/zero/stage_1_and_2.py of 0.19.8).
    """

    def __init__(self, groups: list[dict[str, Any]], eps: float) -> None:
        super().__init__(groups, {"lr": FIRST_RATE, "weight_decay": 0.0, "eps": eps})

    def update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Each entry by its own sum."""
        gradient = gradient.add(weight, alpha=group["weight_decay"])
        total = self.average(weight, "sum").addcmul_(gradient, gradient)
        weight.addcdiv_(gradient, total.sqrt().add_(group["eps"]), value=-group["lr"])
