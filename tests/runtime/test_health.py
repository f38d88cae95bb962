"""Gradient health: the bound of each step, what counts as an explosion, and that a checkpoint keeps it."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cfgc_runtime.evaluate import Patience
from cfgc_runtime.health import Health, clipping_bound
from cfgc_runtime.loop import Loop
from cfgc_runtime.state import Evaluated, State
from cfgc_runtime.stepping import StepOutcome

BEFORE = Health()


def rule(**changes: Any) -> Any:
    usual = {"enabled": True, "initial_clip_value": 2.0, "final_clip_value": 0.5, "warmup_steps": 10}
    explosion = {"explosion_threshold": 5.0, "auto_reduce_lr": True, "lr_reduction_factor": 0.5}
    return SimpleNamespace(**{**usual, **explosion, **changes})


@pytest.mark.covers(
    "training.gradient_health.enabled",
    "training.gradient_health.initial_clip_value",
    "training.gradient_health.final_clip_value",
    "training.gradient_health.warmup_steps",
)
def test_the_bound_goes_in_a_line_to_the_final_one() -> None:
    assert [clipping_bound(rule(), step) for step in (1, 5, 10, 11)] == pytest.approx([1.85, 1.25, 0.5, 0.5])
    assert clipping_bound(rule(warmup_steps=0), 1) == 0.5


def after(norms: list[float | None], said: Any) -> Health:
    health = BEFORE
    for norm in norms:
        health = health.after(norm, said)
    return health


@pytest.mark.covers(
    "training.gradient_health.explosion_threshold",
    "training.gradient_health.auto_reduce_lr",
    "training.gradient_health.lr_reduction_factor",
)
def test_an_explosion_lasts_until_the_norm_falls_and_counts_once() -> None:
    assert after([1.0, 6.0, 9.0, 7.0, 1.0], rule()) == Health(1, False, 0.5)
    assert after([6.0, 1.0, 6.0], rule()) == Health(2, True, 0.25)
    assert after([5.0], rule()) == BEFORE


def test_an_explosion_may_only_be_counted() -> None:
    assert after([6.0, 1.0], rule(auto_reduce_lr=False)) == Health(1, False, 1.0)


def test_a_skipped_step_and_a_health_that_is_off_change_nothing() -> None:
    assert after([6.0, None, 7.0], rule()) == Health(1, True, 0.5)
    assert after([6.0], rule(enabled=False)) == BEFORE


@pytest.mark.parametrize(
    "state",
    [
        State({"files": 1}),
        State({}, 7, 1.5, Evaluated(2.0, 6), Evaluated(1.5, 4), Patience(1.6, 2), Health(3, True, 0.1 * 0.7)),
    ],
)
def test_a_checkpoint_gives_the_same_state_back(state: State) -> None:
    stored = json.loads(json.dumps(state.as_json(), allow_nan=False))
    assert State.from_json(state.step, stored) == state


@pytest.mark.covers("training.early_stopping.patience", "training.early_stopping.threshold")
def test_the_best_loss_is_kept_whatever_early_stopping_counts() -> None:
    said = SimpleNamespace(patience=2, threshold=0.5)
    state = State({}, 1).after_evaluation(3.0, said)
    state = State(**{**vars(state), "step": 2}).after_evaluation(2.8, said)
    assert (state.last, state.best) == (Evaluated(2.8, 2), Evaluated(2.8, 2))
    assert state.patience == Patience(3.0, 1)
    state = State(**{**vars(state), "step": 3}).after_evaluation(math.nan, said)
    assert state.best == Evaluated(2.8, 2)
    assert state.patience.is_over(said)


def steps_after(norms: list[tuple[float | None, bool]], health: Any) -> tuple[State, list[tuple[str, str]]]:
    """The state after steps of these gradient norms, some of them skipped, and what was said with its level."""
    said: list[tuple[str, str]] = []
    parts: dict[str, Any] = dict.fromkeys((field.name for field in fields(Loop)), None)
    parts["config"] = SimpleNamespace(GRADIENT_HEALTH=health)
    parts["reporter"] = SimpleNamespace(say=lambda line, level="info": said.append((level, line)))
    loop, state = Loop(**parts), State({})
    for norm, skipped in norms:
        state = loop._after(
            state, StepOutcome(torch.zeros(()), norm, skipped, rate=1e-3, samples=0, seconds=0.5, unlabelled=0)
        )
    return state, said


def test_an_explosion_is_said_once_and_a_skipped_step_to_who_looks_for_mistakes() -> None:
    state, said = steps_after([(6.25, False), (7.0, False), (None, True)], rule())
    assert [level for level, _ in said] == ["warning", "debug"]
    assert "exploded at step 1: its norm is 6.25, more than 5; the learning rate is multiplied by 0.5" in said[0][1]
    assert (state.step, state.seconds, state.health) == (3, 1.5, Health(1, True, 0.5))


def test_an_explosion_that_is_only_counted_is_said_to_leave_the_rate() -> None:
    _, [(level, line)] = steps_after([(6.25, False)], rule(auto_reduce_lr=False))
    assert level == "warning"
    assert line.endswith("more than 5; the learning rate stays as planned (auto_reduce_lr = false)")
