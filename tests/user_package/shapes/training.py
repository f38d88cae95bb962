"""The loss, a metric and an optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer


def loss(outputs: Tensor, batch: Mapping[str, Tensor], smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of each image, [batch]."""
    return functional.cross_entropy(outputs.float(), batch["labels"], label_smoothing=smoothing, reduction="none")


def accuracy(outputs: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """1 for each image whose highest score is that of its label, [batch]."""
    return (outputs.argmax(-1) == batch["labels"]).float()


class SignMomentum(Optimizer):
    """Every weight moves by the rate, against the sign of its averaged gradient."""

    def __init__(self, groups: list[dict[str, Any]], momentum: float) -> None:
        super().__init__(groups, {"lr": 1e-3, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                average = self.state[parameter].setdefault("average", torch.zeros_like(parameter))
                average.lerp_(parameter.grad, 1 - group["momentum"])
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(average.sign(), alpha=group["lr"])


def sign_momentum(groups: list[dict[str, Any]], momentum: float = 0.9) -> SignMomentum:
    """What `[training.optimizer] target` names."""
    return SignMomentum(groups, momentum)
