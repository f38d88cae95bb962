"""The user's own code in this run: where each function comes from, and what it is given.

Written by cfgc: change the spec and build again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from vision.data import build as data_build
from vision.losses import loss as loss_loss
from vision.metrics import accuracy
from vision.model import build as model_build
from vision.optim import Sophia

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.utils.data import Dataset


def build_model() -> nn.Module:
    """[model]."""
    return model_build(
        channels=[16, 32],
        norm={"kind": "batch", "momentum": 0.1, "affine": True},
        title='it\'s a "net"',
        limit=-1.0,
    )


def build_data(split: Literal["train", "evaluation"]) -> Dataset[dict[str, Tensor]]:
    """[data]: the samples of one split."""
    return data_build(
        split,
        root="/data/images",
        parts=["a-rather-long-name-of-a-part-1", "a-rather-long-name-of-a-part-2", "a-rather-long-name-of-a-part-3"],
    )


def build_optimizer(groups: list[dict[str, Any]]) -> Optimizer:
    """[training.optimizer], over torch's parameter groups."""
    return Sophia.default(groups)


def loss(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """[training.loss]: one number a sample, [micro batch]."""
    return loss_loss(outputs, batch, smoothing=0.1)


def metrics(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """[evaluation] metrics: one number a sample each, [micro batch]."""
    return {
        "top 1": accuracy(outputs, batch),
        "top 5": accuracy(outputs, batch, k=5),
    }
