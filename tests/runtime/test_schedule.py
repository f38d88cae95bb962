"""The learning rate."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cfgc_runtime.schedule import learning_rate


def schedule(kind: str, steps: int = 100, warmup: int = 10, peak: float = 1.0, final: float = 0.1, **more: Any) -> Any:
    plain = {"decay": "cosine" if kind == "cosine" else "linear", "decay_steps": 30, "power": 2.0}
    drops = {"gamma": 0.5, "step_size": 0, "milestones": (40, 70)}
    return SimpleNamespace(
        **{
            "scheduler": kind,
            "max_steps": steps,
            "warmup_steps": warmup,
            "learning_rate": peak,
            "final_learning_rate": final,
            **plain,
            **drops,
            **more,
        }
    )


KINDS = ["constant", "linear", "cosine", "polynomial", "wsd", "step"]


@pytest.mark.covers("training.warmup_steps")
@pytest.mark.parametrize("kind", KINDS)
def test_warm_up_is_linear_and_ends_at_the_peak(kind: str) -> None:
    assert [learning_rate(schedule(kind), step) for step in (1, 5, 10)] == [0.1, 0.5, 1.0]


@pytest.mark.covers("training.scheduler.type", "training.scheduler.final_learning_rate")
def test_half_way_down() -> None:
    assert learning_rate(schedule("linear"), 55) == pytest.approx(0.55)
    assert learning_rate(schedule("cosine"), 55) == pytest.approx(0.55)
    assert learning_rate(schedule("cosine"), 32) > learning_rate(schedule("linear"), 32)
    assert learning_rate(schedule("constant"), 55) == 1.0
    assert learning_rate(schedule("polynomial"), 55) == pytest.approx(0.1 + 0.9 * 0.25)


@pytest.mark.covers("training.scheduler.decay_steps", "training.scheduler.decay")
@pytest.mark.parametrize(("decay", "half"), [("linear", 0.55), ("cosine", 0.55), ("sqrt", 1 - 0.9 * 0.5**0.5)])
def test_wsd_is_stable_and_then_decays(decay: str, half: float) -> None:
    plan = schedule("wsd", decay=decay)
    assert {learning_rate(plan, step) for step in range(10, 71)} == {1.0}
    assert learning_rate(plan, 85) == pytest.approx(half)
    assert learning_rate(plan, 100) == pytest.approx(0.1)


@pytest.mark.covers("training.scheduler.milestones", "training.scheduler.step_size", "training.scheduler.gamma")
def test_drops() -> None:
    named, regular = schedule("step"), schedule("step", step_size=30, milestones=(), final=0.2)
    assert [learning_rate(named, step) for step in (39, 40, 69, 70, 100)] == [1.0, 0.5, 0.5, 0.25, 0.25]
    assert [learning_rate(regular, step) for step in (29, 30, 60, 90)] == [1.0, 0.5, 0.25, 0.2]


@given(
    kind=st.sampled_from(["linear", "cosine", "polynomial", "wsd"]),
    steps=st.integers(1, 1000),
    warmup=st.integers(0, 1000),
    peak=st.floats(1e-6, 1),
    share=st.floats(0, 1),
)
def test_it_rises_then_falls_to_the_final_rate(kind: str, steps: int, warmup: int, peak: float, share: float) -> None:
    warmup = min(warmup, steps - 1)
    plan = schedule(kind, steps, warmup, peak, peak * share, decay_steps=min(30, steps - warmup))
    rates = [learning_rate(plan, step) for step in range(1, steps + 1)]
    top = max(warmup - 1, 0)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert all(after <= before * (1 + 1e-12) for before, after in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == pytest.approx(peak * share, abs=1e-15)
    assert max(rates) <= peak * (1 + 1e-12)


def theirs(name: str, plan: Any) -> list[float]:
    """The rates of torch's or transformers' own scheduler, after 0, 1, … calls."""
    from transformers import optimization

    peak, final = plan.learning_rate, plan.final_learning_rate
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    warm = {"num_warmup_steps": plan.warmup_steps, "num_training_steps": plan.max_steps}
    wsd = warm | {"num_decay_steps": plan.decay_steps, "decay_type": {"sqrt": "1-sqrt", "wsd": "cosine"}.get(name, "")}
    known: dict[str, Callable[[], Any]] = {
        "constant": lambda: optimization.get_constant_schedule_with_warmup(optimizer, plan.warmup_steps),
        "linear": lambda: optimization.get_linear_schedule_with_warmup(optimizer, **warm),
        "cosine": lambda: optimization.get_cosine_with_min_lr_schedule_with_warmup(optimizer, **warm, min_lr=final),
        "polynomial": lambda: optimization.get_polynomial_decay_schedule_with_warmup(
            optimizer, **warm, lr_end=final, power=plan.power
        ),
        "milestones": lambda: torch.optim.lr_scheduler.MultiStepLR(optimizer, plan.milestones, plan.gamma),
        "step size": lambda: torch.optim.lr_scheduler.StepLR(optimizer, plan.step_size, plan.gamma),
    }
    scheduler = known.get(name, lambda: optimization.get_wsd_schedule(optimizer, **wsd))()
    rates = []
    for _ in range(plan.max_steps + 1):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("constant", schedule("constant")),
        ("linear", schedule("linear", final=0.0)),
        ("cosine", schedule("cosine", peak=3e-4, final=3e-5)),
        ("polynomial", schedule("polynomial", peak=3e-4, final=3e-5, power=1.7)),
        ("linear", schedule("wsd", final=0.0, decay_steps=90)),
        ("wsd", schedule("wsd", final=0.0, decay="cosine")),
        ("sqrt", schedule("wsd", final=0.0, decay="sqrt")),
        ("milestones", schedule("step", warmup=0, final=0.0)),
        ("step size", schedule("step", warmup=0, final=0.0, step_size=7)),
    ],
)
@pytest.mark.covers("training.scheduler.power")
def test_the_rates_are_those_of_the_known_libraries(name: str, plan: Any) -> None:
    ours = [learning_rate(plan, step) for step in range(1, plan.max_steps + 1)]
    assert ours == pytest.approx(theirs(name, plan)[1:], rel=1e-9, abs=1e-15)
