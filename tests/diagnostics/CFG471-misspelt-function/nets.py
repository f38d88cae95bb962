"""A model."""

from typing import Literal

from torch import nn


class Network(nn.Module):
    def __init__(self, width: int, kind: Literal["wide", "deep"] = "wide", dropout: float = 0.0) -> None:
        super().__init__()


def build(layers: int, widths: list[int] | None = None, *, name: str = "net") -> Network:
    return Network(8)


SIZE = 3
