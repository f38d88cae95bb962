"""Images of a shape each, drawn when they are asked for."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import Dataset

SIZE = 12
SHAPES = ("square", "cross", "frame")


class Images(Dataset[dict[str, Tensor]]):
    """Sample i is always the same shape in the same place; its noise is new whenever it is seen."""

    def __init__(self, first: int, count: int, noise: float) -> None:
        self._first, self._count, self._noise = first, count, noise

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(self._first + index)
        label = int(torch.randint(len(SHAPES), (), generator=generator))
        top, left = torch.randint(SIZE - 5, (2,), generator=generator).tolist()
        image = torch.zeros(1, SIZE, SIZE)
        image[0, top : top + 5, left : left + 5] = _drawn(SHAPES[label])
        return {"images": image + self._noise * torch.randn(image.shape), "labels": torch.tensor(label)}


def _drawn(shape: str) -> Tensor:
    """The shape on 5 × 5 points."""
    points = torch.zeros(5, 5)
    if shape == "square":
        points[1:4, 1:4] = 1
    elif shape == "cross":
        points[2, :] = points[:, 2] = 1
    else:
        points[0, :] = points[4, :] = points[:, 0] = points[:, 4] = 1
    return points


def build(split: Literal["train", "evaluation"], samples: int, noise: float = 0.1) -> Images:
    """What `[data] target` names: a tenth of ``samples`` is held out."""
    held_out = samples // 10
    return Images(0, samples - held_out, noise) if split == "train" else Images(samples, held_out, noise)
