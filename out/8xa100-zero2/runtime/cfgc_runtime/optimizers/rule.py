"""What the update rules share: a step over every parameter that has a gradient."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import torch
from torch.optim import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

FIRST_RATE = 0.0
"""The rate that groups start with; the loop sets that of each step before it is taken."""


class Rule(Optimizer):
    """An update rule for one parameter at a time; groups have ``lr`` and ``weight_decay``."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update(parameter, parameter.grad, group)
        return loss

    @abstractmethod
    def update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Move ``weight`` in place; ``gradient`` may be overwritten by nobody."""

    def average(self, weight: Tensor, name: str) -> Tensor:
        """The state ``name`` of ``weight``, of the same shape; zeros at first."""
        state = self.state[weight]
        if name not in state:
            state[name] = torch.zeros_like(weight)
        found: Tensor = state[name]
        return found

    def count(self, weight: Tensor) -> int:
        """How often ``weight`` was updated, this update counted."""
        state = self.state[weight]
        state["step"] = int(state.get("step", 0)) + 1
        return int(state["step"])
