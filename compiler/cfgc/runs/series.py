"""What runs measured, as points to draw."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from cfgc_runtime.metrics import read_metrics

Axis = Literal["step", "tokens", "time"]

TITLES: Final[Mapping[str, str]] = {
    "loss": "training loss",
    "eval_loss": "held-out loss",
    "lr": "learning rate",
    "grad_norm": "gradient norm",
    "tokens_per_s": "tokens per second",
    "mfu": "share of the devices' peak (MFU)",
}
"""What people call the metrics that every run may have."""

USUAL: Final = ("loss", "lr", "grad_norm", "tokens_per_s")
"""What is drawn when nothing is asked for; the held-out loss is drawn with the training loss."""


@dataclass(frozen=True)
class Series:
    """One metric of one run. ``points`` are (x, value), x ascending; x is in steps, tokens or hours."""

    run: str
    metric: str
    points: tuple[tuple[float, float], ...]


def read_series(path: Path, name: str, metrics: Sequence[str], axis: Axis) -> list[Series]:
    """``metrics`` of the run in ``path``, which is called ``name``; those without a point are left out."""
    lines = read_metrics(path / "metrics.jsonl")
    places = _places(lines, axis)
    found = (Series(name, metric, tuple(_points(lines, places, metric))) for metric in metrics)
    return [series for series in found if series.points]


def metrics_of(path: Path) -> list[str]:
    """Names of all numbers that the run in ``path`` recorded."""
    names = {name: None for line in read_metrics(path / "metrics.jsonl") for name in line if _is_number(line[name])}
    return [name for name in names if name not in {"step", "time", "tokens"}]


def smoothed(points: Sequence[tuple[float, float]], span: int) -> list[tuple[float, float]]:
    """The exponential mean of the values over about ``span`` points, with no pull towards 0 at the start."""
    keep, total, weight = 1.0 - 2.0 / (span + 1.0), 0.0, 0.0
    out = []
    for x, value in points:
        total, weight = keep * total + value, keep * weight + 1.0
        out.append((x, total / weight))
    return out


def spans_decades(values: Sequence[float]) -> bool:
    """Whether ``values`` read better on a logarithmic scale."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > 30


def _points(lines: Sequence[Mapping[str, Any]], places: Sequence[float | None], metric: str) -> Iterator[Any]:
    for line, place in zip(lines, places, strict=True):
        if place is not None and _is_number(line.get(metric)):
            yield place, float(line[metric])


def _places(lines: Sequence[Mapping[str, Any]], axis: Axis) -> list[float | None]:
    """x of each line; lines of evaluations have no tokens of their own, but their step does."""
    if axis == "step":
        return [float(line["step"]) for line in lines]
    if axis == "tokens":
        counted = {line["step"]: float(line["tokens"]) for line in lines if _is_number(line.get("tokens"))}
        last = max(counted, default=0)
        each = counted[last] / last if last else None
        return [counted.get(line["step"], None if each is None else each * line["step"]) for line in lines]
    start = next((line["time"] for line in lines if _is_number(line.get("time"))), 0.0)
    return [(line["time"] - start) / 3600 if _is_number(line.get("time")) else None for line in lines]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
