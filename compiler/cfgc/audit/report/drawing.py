"""The measures that both pictures share: a scale with ticks, and numbers as SVG has them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 460
HEIGHT = 260


@dataclass(frozen=True)
class Tick:
    """A line of the grid, at ``at`` of the picture."""

    at: str
    label: str


@dataclass(frozen=True)
class Scale:
    """From 0 to ``highest`` on a line from ``start`` to ``end``, in the picture's units."""

    highest: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where ``value`` is."""
        return self.start + (self.end - self.start) * (value / self.highest if self.highest else 0.0)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values, at most ``most`` steps: 1, 2 or 5 times a power of ten."""
        if not self.highest:
            return [0.0]
        rough = self.highest / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough)
        return [number * step for number in range(int(self.highest / step + 1e-9) + 1)]


def place(value: float) -> str:
    """A coordinate, short and the same on every machine. Raises ValueError for none."""
    if not math.isfinite(value):
        raise ValueError(f"no coordinate: {value}")
    return f"{value:.1f}".removesuffix(".0")


def line(points: Iterable[tuple[float, float]]) -> str:
    """The path through ``points``."""
    return "M" + " L".join(f"{place(x)} {place(y)}" for x, y in points)
