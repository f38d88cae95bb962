"""Samples without a label: no part of any mean that is said, whatever they are computed to be."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc_runtime.config import Config
from cfgc_runtime.data import rows as rows_module
from cfgc_runtime.data import streams
from cfgc_runtime.data.encode import Encoded
from cfgc_runtime.data.feed import make_feed
from cfgc_runtime.data.rows import PackedRows
from cfgc_runtime.data.samples import MicroBatch
from cfgc_runtime.evaluate import evaluate
from cfgc_runtime.loop import Loop
from cfgc_runtime.models.losses import cross_entropy, has_label
from cfgc_runtime.progress import Progress
from cfgc_runtime.state import State
from cfgc_runtime.stepping import StepOutcome, take_step
from tests.runtime.documents import batch, data, documents
from tests.runtime.test_streaming import plan, source, streamed

if TYPE_CHECKING:
    from pathlib import Path

LOGITS = torch.tensor([[[0.0, 1.0], [2.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]], [[0.0, 3.0], [1.0, 1.0]]])
LABELS = torch.tensor([[1, -100], [-100, -100], [0, 1]])


def micro_batch(labels: torch.Tensor, *weights: float) -> MicroBatch:
    return MicroBatch(list(range(len(labels))), {"labels": labels}, torch.tensor(weights or (1.0,) * len(labels)))


class Ranks:
    """Two ranks that saw the same."""

    size = 2

    def sums(self, *values: torch.Tensor) -> list[float]:
        return [2 * float(value) for value in values]


class Engine:
    """The model is constant; a metric of one's own divides by the number of labels."""

    def __init__(self) -> None:
        self.steps = 0

    def train_mode(self, on: bool) -> None:
        self.training = on

    def judge(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        counted = batch["labels"] != -100
        right = ((LOGITS.argmax(-1) == batch["labels"]) & counted).sum(1) / counted.sum(1)
        return {"loss": cross_entropy(LOGITS, batch), "right": right}

    def accumulate(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return cross_entropy(LOGITS, batch).mean()

    def set_learning_rate(self, rate: float) -> None:
        self.rate = rate

    def finish_micro_step(self, is_last: bool) -> float | None:
        return 1.0 if is_last else None

    def skipped_last_step(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (LABELS, [True, False, True]),
        (torch.tensor([3, -100]), [True, False]),  # one class a sample
        (torch.tensor([[-100.0], [1.0]]), [True, True]),  # a number to predict
        (torch.zeros(2, 0, dtype=torch.int64), [True, True]),
    ],
)
def test_a_sample_has_a_label_unless_all_are_ignored(labels: torch.Tensor, expected: list[bool]) -> None:
    assert has_label(labels).tolist() == expected


def test_an_evaluation_weighs_only_samples_with_a_label() -> None:
    losses = cross_entropy(LOGITS, {"labels": LABELS})
    found: Any = evaluate(Engine(), [micro_batch(LABELS), micro_batch(LABELS, 1, 0, 0)], Ranks())  # type: ignore[arg-type]
    assert found["loss"] == pytest.approx(float(2 * losses[0] + losses[2]) / 3)
    assert found["right"] == pytest.approx((1 + 1 + 0) / 3)
    assert found["unlabelled"] == 2


def test_an_evaluation_of_labelled_samples_says_no_number() -> None:
    assert set(evaluate(Engine(), [micro_batch(LABELS.clamp(min=0))], Ranks())) == {"loss", "right"}  # type: ignore[arg-type]


def test_an_evaluation_without_any_label_has_no_loss() -> None:
    nothing = torch.full_like(LABELS, -100)
    assert math.isnan(evaluate(Engine(), [micro_batch(nothing)], Ranks())["loss"])  # type: ignore[arg-type]


def logged(*labels: torch.Tensor) -> dict[str, Any]:
    """What the metrics say of a step whose micro batches have these labels, on each of two ranks."""
    config: Any = SimpleNamespace(
        BATCH=SimpleNamespace(gradient_accumulation_steps=len(labels), global_batch_size=6 * len(labels),
                              tokens_per_step=12 * len(labels)),
        SCHEDULE=SimpleNamespace(scheduler="constant", learning_rate=1.0, final_learning_rate=0.0, warmup_steps=0),
        GRADIENT_HEALTH=SimpleNamespace(enabled=False),
        TRACKING=SimpleNamespace(log_level="info"),
    )  # fmt: skip
    outcome = take_step(Engine(), config, State({}), iter([micro_batch(one) for one in labels]))  # type: ignore[arg-type]
    return shown(config, outcome)


def shown(config: Config, outcome: StepOutcome) -> dict[str, Any]:
    said: list[dict[str, Any]] = []
    parts: dict[str, Any] = dict.fromkeys((field.name for field in fields(Loop)), None)
    parts |= {"config": config, "ranks": Ranks()}
    parts["reporter"] = SimpleNamespace(show=lambda step, values: said.append(values))
    Loop(**parts)._log(State({}, 1, 1.0), outcome, State({}))
    [values] = said
    return values


def test_the_logged_loss_is_the_mean_over_samples_with_a_label() -> None:
    whole = torch.tensor([[1, 0], [0, 0], [0, 1]])
    losses = [*cross_entropy(LOGITS, {"labels": LABELS}), *cross_entropy(LOGITS, {"labels": whole})]
    values = logged(LABELS, whole)
    assert values["loss"] == pytest.approx(float(sum(losses)) / 5)
    assert values["unlabelled"] == 2  # one on each rank


def test_a_step_of_labelled_samples_says_no_number() -> None:
    whole = LABELS.clamp(min=0)
    values = logged(whole)
    assert values["loss"] == float(cross_entropy(LOGITS, {"labels": whole}).mean())
    assert "unlabelled" not in values


def test_a_step_without_any_label_has_no_loss() -> None:
    assert math.isnan(logged(torch.full_like(LABELS, -100))["loss"])


def test_the_progress_line_says_how_many_there_are() -> None:
    line = {"step": 1, "loss": 2.0, "lr": 0.1, "tokens_per_s": 10.0}
    progress = Progress(None, "gpt", 9)
    assert "unlabelled" not in progress._fields(line, None)
    assert progress._fields({**line, "unlabelled": 12}, None)["unlabelled"] == "(12 unlabelled)"


@settings(max_examples=40, deadline=None)
@given(
    files=st.lists(st.lists(st.booleans(), min_size=1, max_size=30), min_size=1, max_size=4),
    length=st.integers(1, 8),
    at_once=st.integers(1, 20),
)
def test_a_packed_sample_without_a_label_is_none(files: list[list[bool]], length: int, at_once: int) -> None:
    flags = [flag for file in files for flag in file]
    starts = range(0, len(flags) - length, length)
    kept = [flags[start : start + length + 1] for start in starts if any(flags[start + 1 : start + length + 1])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_TOKENS_AT_ONCE", at_once)
        rows = PackedRows([documents(range(len(file)), trained=[file]) for file in files], length)
    assert (len(rows), rows.cuts) == (len(kept), len(starts))
    assert [list(rows.row(sample).trained) for sample in range(len(rows))] == kept  # type: ignore[arg-type]
    streamed = streams.pack(iter([Encoded([0] * len(file), file) for file in files]), length)
    assert [row.trained.tolist() for row in streamed if row.trained is not None] == kept


def test_packed_samples_without_a_label_are_counted() -> None:
    prepared: Any = SimpleNamespace(
        sources=[[documents(range(481), trained=[[place % 16 > 8 for place in range(481)]])]],
        fingerprint=None,
        vocabulary=SimpleNamespace(pad=9, size=500),
    )
    config: Any = SimpleNamespace(DATA=data(), BATCH=batch())
    feed = make_feed(config, SimpleNamespace(rank=0, size=1), prepared)  # type: ignore[arg-type]
    assert any("30 of 60 packed samples are left out" in note for note in feed.notes)
    assert feed.held_out == 3


@pytest.mark.parametrize("packing", [True, False])
def test_a_stream_has_prompts_that_leave_no_room_only_where_it_does_not_pack(tmp_path: Path, packing: bool) -> None:
    records = [{"prompt": "?" * (20 if number % 2 else 2), "completion": f"{number:02}"} for number in range(12)]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, records)))
    sources = [source(tmp_path, "a")]
    sources[0].format = "prompt"
    said = plan(sources, packing=packing, shuffle=False)
    batches = streamed(said, 1, 0, range(6), 1)
    found = torch.cat([has_label(one.batch["labels"]) for one in batches])
    assert int(found.sum()) == (12 if packing else 6)
    later = streamed(plan(sources, packing=packing, shuffle=False, num_workers=2), 1, 0, range(4, 6), 1)
    for one, other in zip(batches[4:], later, strict=True):
        assert (one.samples, one.batch["labels"].tolist()) == (other.samples, other.batch["labels"].tolist())
