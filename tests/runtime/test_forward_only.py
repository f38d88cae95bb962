"""An evaluation by itself has no optimizer, and finds the losses that the engine of a training finds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cfgc_runtime.forward_only import forward_only
from tests.runtime.bundles import compile_tiny, write_corpus
from tests.runtime.workers import run_worker

LAYOUTS = {
    "zero-0": ("deepspeed.zero.stage=0",),
    "zero-2": ("zero=2",),
    "zero-2-bf16": ("zero=2", "training.precision=bf16"),
    "zero-2-offload": ("zero=2", "deepspeed.offload.optimizer=cpu"),
    "zero-3": ("zero=3",),
    "zero-3-bf16": ("zero=3", "training.precision=bf16"),
    "zero-3-offload": (
        "zero=3",
        "deepspeed.offload.optimizer=cpu",
        "deepspeed.offload.parameters=cpu",
    ),
    "lion": ("zero=2", "training.optimizer.type=lion"),
}
EVALUATION = ("task.kind=evaluate", "task.checkpoint=/nowhere")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("judged")
    write_corpus(directory / "text")
    names = []
    for layout, overrides in LAYOUTS.items():
        for work, more in (("train", ()), ("evaluate", EVALUATION)):
            compile_tiny(directory / f"{layout}-{work}", "model.hidden_dropout=0", *overrides, *more)
            names.append(f"{layout}-{work}")
    run_worker("tests.runtime.evaluation_worker", directory, *names, ranks=2)
    found: dict[str, Any] = json.loads((directory / "seen.json").read_text())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_losses_are_those_of_the_engine_that_trains(layout: str, seen: dict[str, Any]) -> None:
    judged, trained = seen[f"{layout}-evaluate"], seen[f"{layout}-train"]
    assert judged["losses"] == trained["losses"]
    assert 5.0 < judged["losses"]["loss"] < 6.0


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_updates_weights(layout: str, seen: dict[str, Any]) -> None:
    judged, trained = seen[f"{layout}-evaluate"], seen[f"{layout}-train"]
    assert trained["optimizer"] not in ("NoneType", "DeepSpeedZeRoOffload")
    assert judged["optimizer"] == ("DeepSpeedZeRoOffload" if layout.startswith("zero-3") else "NoneType")
    assert judged["kept"] == trained["kept"], "weights lie where they do in training"


def test_what_is_not_of_the_optimizer_stays() -> None:
    offload = {"device": "cpu"}
    weights = {"stage": 3, "offload_param": offload, "zero_quantized_weights": True}
    settings = {
        "train_batch_size": 8,
        "optimizer": {"type": "AdamW"},
        "bf16": {"enabled": True, "bf16_optimizer_states": True},
        "zero_optimization": {**weights, "offload_optimizer": offload},
    }
    assert forward_only(settings) == {
        "train_batch_size": 8,
        "bf16": {"enabled": True},
        "zero_optimization": weights,
    }
    gradients = {**settings, "zero_optimization": {"stage": 2, "offload_optimizer": offload}}
    assert forward_only(gradients)["zero_optimization"] == {"stage": 0}
    assert "zero_optimization" in settings, "what was given stays"
