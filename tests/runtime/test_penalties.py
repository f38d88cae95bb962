"""Penalties on the loss: values computed by hand, and that training with them lowers what they punish."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cfgc_runtime.errors import Failure
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.models.penalties import penalty, with_penalties

END = 4


def rule(repetition: float = 0.0, immediate: float = 0.0, shortest: int = 0, eos: float = 0.0) -> Any:
    return SimpleNamespace(repetition=repetition, immediate_repetition=immediate, min_sequence_length=shortest, eos=eos)


def logits_for(probabilities: list[list[float]]) -> torch.Tensor:
    return torch.tensor([probabilities]).log()


def against(*unlikely: float) -> float:
    return sum(-math.log(1 - p) for p in unlikely)


# Three positions over five tokens; the last one is the end of a text.
CHANCES = [[0.4, 0.3, 0.1, 0.1, 0.1], [0.2, 0.5, 0.1, 0.1, 0.1], [0.1, 0.1, 0.2, 0.2, 0.4]]
BATCH = {"input_ids": torch.tensor([[0, 1, 0]]), "labels": torch.tensor([[1, 0, 2]])}


@pytest.mark.covers("training.penalties.repetition")
def test_repetition_counts_each_token_read_but_the_right_one() -> None:
    """Candidates: 0; then 1 (0 is the label); then 0 once and 1."""
    found = penalty(logits_for(CHANCES), BATCH, rule(repetition=2.0), END)
    assert found.tolist() == pytest.approx([2 * (against(0.4) + against(0.5) + against(0.1, 0.1)) / 3])


@pytest.mark.covers("training.penalties.immediate_repetition")
def test_immediate_repetition_counts_the_token_just_read() -> None:
    found = penalty(logits_for(CHANCES), BATCH, rule(immediate=1.0), END)
    assert found.tolist() == pytest.approx([(against(0.4) + against(0.5) + against(0.1)) / 3])
    says_so = BATCH | {"labels": torch.tensor([[0, 0, 2]])}
    assert penalty(logits_for(CHANCES), says_so, rule(immediate=1.0), END).tolist() == pytest.approx(
        [(against(0.5) + against(0.1)) / 3]
    )


@pytest.mark.covers("training.penalties.eos", "training.penalties.min_sequence_length")
def test_an_end_is_early_until_the_text_is_long_enough() -> None:
    """Positions have read 1, 2 and 3 tokens; an end in between starts another text."""
    found = penalty(logits_for(CHANCES), BATCH, rule(eos=5.0, shortest=3), END)
    assert found.tolist() == pytest.approx([5 * (against(0.1) + against(0.1)) / 3])
    after_end = BATCH | {"input_ids": torch.tensor([[0, END, 0]])}
    assert penalty(logits_for(CHANCES), after_end, rule(eos=5.0, shortest=2), END).tolist() == pytest.approx(
        [5 * (against(0.1) + against(0.1) + against(0.4)) / 3]
    )
    true_end = BATCH | {"labels": torch.tensor([[END, 0, 2]])}
    assert penalty(logits_for(CHANCES), true_end, rule(eos=1.0, shortest=2), END).tolist() == pytest.approx([0.0])


def test_labels_that_are_not_trained_on_and_padding_are_left_out() -> None:
    everything = rule(1.0, 1.0, 9, 1.0)
    batch = BATCH | {"labels": torch.tensor([[-100, -100, 2]]), "attention_mask": torch.tensor([[0, 1, 1]])}
    expected = against(0.1, 0.1) + against(0.1) + against(0.4)
    assert penalty(logits_for(CHANCES), batch, everything, END).tolist() == pytest.approx([expected])
    nothing = BATCH | {"labels": torch.full((1, 3), -100)}
    assert penalty(logits_for(CHANCES), nothing, everything, END).tolist() == [0.0]


def test_a_certain_repetition_is_still_finite() -> None:
    logits = torch.zeros(1, 3, 5)
    logits[..., 0] = 1e4
    logits.requires_grad_()
    loss = penalty(logits, BATCH, rule(1.0, 1.0), END).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_without_penalties_the_loss_is_the_loss_itself() -> None:
    assert with_penalties(cross_entropy, rule(shortest=20), END) is cross_entropy


def test_a_loss_without_tokens_is_told() -> None:
    loss = with_penalties(lambda outputs, batch: outputs.mean(1), rule(1.0), END)
    with pytest.raises(Failure, match="need logits"):
        loss(torch.zeros(2, 3), {"labels": torch.zeros(2)})


@pytest.mark.parametrize(
    ("penalties", "punished"),
    [
        (rule(repetition=10.0), lambda p, x: sum(p[:, t, x[0, : t + 1]].mean() for t in range(8)) / 8),
        (rule(immediate=10.0), lambda p, x: p[0, range(8), x[0]].mean()),
        (rule(eos=10.0, shortest=20), lambda p, x: p[..., END].mean()),
    ],
    ids=["repetition", "immediate", "eos"],
)
def test_training_with_it_makes_unlikely_what_it_punishes(penalties: Any, punished: Any) -> None:
    """Beside the cross entropy of labels that say otherwise half of the time."""
    generator = torch.Generator().manual_seed(1)
    batch = {name: torch.randint(0, 12, (1, 8), generator=generator) for name in ("input_ids", "labels")}
    ends = []
    for loss in (cross_entropy, with_penalties(cross_entropy, penalties, END)):
        logits = torch.zeros(1, 8, 12, requires_grad=True)
        optimizer = torch.optim.SGD([logits], lr=1.0)
        for _ in range(20):
            optimizer.zero_grad()
            loss(logits, batch).sum().backward()
            optimizer.step()
        ends.append(float(punished(logits.detach().softmax(-1), batch["input_ids"])))
    assert ends[1] < 0.8 * ends[0]
