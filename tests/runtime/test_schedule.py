"""The learning rate."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc_runtime.schedule import learning_rate


def schedule(kind: str, steps: int = 100, warmup: int = 10, peak: float = 1.0, final: float = 0.1) -> SimpleNamespace:
    return SimpleNamespace(
        scheduler=kind, max_steps=steps, warmup_steps=warmup, learning_rate=peak, final_learning_rate=final
    )


@pytest.mark.parametrize("kind", ["constant", "linear", "cosine"])
def test_warm_up_is_linear_and_ends_at_the_peak(kind: str) -> None:
    assert [learning_rate(schedule(kind), step) for step in (1, 5, 10)] == [0.1, 0.5, 1.0]


def test_half_way_down() -> None:
    assert learning_rate(schedule("linear"), 55) == pytest.approx(0.55)
    assert learning_rate(schedule("cosine"), 55) == pytest.approx(0.55)
    assert learning_rate(schedule("cosine"), 32) > learning_rate(schedule("linear"), 32)
    assert learning_rate(schedule("constant"), 55) == 1.0


@given(
    kind=st.sampled_from(["linear", "cosine"]),
    steps=st.integers(1, 1000),
    warmup=st.integers(0, 1000),
    peak=st.floats(1e-6, 1),
    share=st.floats(0, 1),
)
def test_it_rises_then_falls_to_the_final_rate(kind: str, steps: int, warmup: int, peak: float, share: float) -> None:
    warmup = min(warmup, steps - 1)
    plan = schedule(kind, steps, warmup, peak, peak * share)
    rates = [learning_rate(plan, step) for step in range(1, steps + 1)]
    top = max(warmup - 1, 0)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert all(after <= before * (1 + 1e-12) for before, after in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == pytest.approx(peak * share, abs=1e-15)
    assert max(rates) <= peak * (1 + 1e-12)
