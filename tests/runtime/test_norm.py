"""The gradient norm that the loop is told, whichever way a release of DeepSpeed says that there is none."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from cfgc_runtime.engine import Engine


def engine_of(norm: float | None, *, overflow: bool | None, precision: str) -> Engine:
    """An engine whose DeepSpeed reports ``norm`` after each step, and ``overflow`` unless it has no such thing."""
    optimizer = SimpleNamespace() if overflow is None else SimpleNamespace(overflow=overflow)
    raw: Any = SimpleNamespace(optimizer=optimizer, step=lambda: None, get_global_grad_norm=lambda: norm)
    engine = Engine.__new__(Engine)
    engine.raw, engine._plain, engine._scaled = raw, False, precision == "fp16"
    return engine


@pytest.mark.parametrize(
    ("norm", "overflow", "precision", "told"),
    [
        (0.5, False, "bf16", 0.5),
        (0.5, None, "fp32", 0.5),
        (None, False, "bf16", None),
        (-1.0, False, "bf16", math.inf),  # until 0.17.0, which checks bf16 for nothing
        (0.5, True, "bf16", math.inf),  # 0.17.1 to 0.19.2: the norm is that of the step before
        (math.inf, True, "bf16", math.inf),
        (0.5, True, "fp16", 0.5),  # a lower loss scale, and the next step
    ],
)
def test_a_gradient_that_is_no_number_has_an_infinite_norm(
    norm: float | None, overflow: bool | None, precision: str, told: float | None
) -> None:
    engine = engine_of(norm, overflow=overflow, precision=precision)
    assert engine.finish_micro_step(is_last=False) is None
    assert engine.finish_micro_step(is_last=True) == told
