"""What training lowers: one number for each sample, so that every sample weighs the same wherever it lands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the usual name

if TYPE_CHECKING:
    from collections.abc import Mapping

IGNORED = -100
"""A label that no loss is taken of: padding, and prompts that the model is not trained to write."""


def cross_entropy(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Mean cross-entropy in nats over the labels of each sample, fp32 [batch]; 0 for a sample without any.

    ``outputs`` are logits [batch, …, classes], or an object that has them as ``logits``; ``batch["labels"]`` is int64
    [batch, …], and -100 where no loss is taken.
    """
    logits, labels = logits_of(outputs), batch["labels"]
    losses = F.cross_entropy(
        logits.float().flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="none"
    ).view(labels.shape[0], -1)
    counted = (labels.reshape(labels.shape[0], -1) != IGNORED).sum(1)
    return losses.sum(1) / counted.clamp(min=1)


def has_label(labels: Tensor) -> Tensor:
    """Which samples have a label that a loss is taken of, bool [batch]; ``labels`` that are no integers all have."""
    if labels.is_floating_point() or not labels.numel():
        return torch.ones(len(labels), dtype=torch.bool, device=labels.device)
    return (labels.unsqueeze(-1).flatten(1) != IGNORED).any(1)


def logits_of(outputs: Any) -> Tensor:
    """The logits among what a model returned."""
    found: Tensor = getattr(outputs, "logits", outputs)
    return found
