"""A convolutional network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """Normalized convolutions, each halving the image, then one linear layer over what is left of it."""

    def __init__(self, channels: Sequence[int], classes: int, dropout: float) -> None:
        super().__init__()
        widths = [1, *channels]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1) for before, after in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in channels)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """``images`` float [batch, 1, height, width]; a score for each class, [batch, classes]."""
        x = images.to(self.head.weight.dtype)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = torch.relu(norm(convolution(x)))
        return cast("Tensor", self.head(self.dropout(x.mean((2, 3)))))


def build(channels: list[int], classes: int, dropout: float = 0.0) -> Network:
    """What `[model] target` names."""
    return Network(channels, classes, dropout)
