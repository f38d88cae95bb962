"""Update rules that neither torch nor DeepSpeed has in the form a bundle needs: without compiling anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.optimizers.adagrad import Adagrad
from cfgc_runtime.optimizers.lamb import Lamb
from cfgc_runtime.optimizers.lion import Lion
from cfgc_runtime.optimizers.muon import Muon

if TYPE_CHECKING:
    from torch.optim import Optimizer as TorchOptimizer

    from cfgc_runtime.config import Optimizer


def make_optimizer(optimizer: Optimizer, groups: list[dict[str, Any]]) -> TorchOptimizer | None:
    """The plan's update rule over ``groups``; None when DeepSpeed makes it, from ds_config.json."""
    betas, eps = optimizer.betas, optimizer.eps
    if optimizer.type == "lion":
        return Lion(groups, betas)
    if optimizer.type == "adagrad":
        return Adagrad(groups, eps)
    if optimizer.type == "lamb":
        return Lamb(groups, betas, eps)
    if optimizer.type == "muon":
        return Muon(groups, optimizer.momentum, betas, eps)
    return None
