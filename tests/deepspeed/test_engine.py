"""The real engine takes the ds_config of every stage, optimizer and offload; all train alike and resume exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deepspeed.starting import with_torchrun
from tests.deepspeed.test_ds_config import LEAST_STAGE
from tests.unit.lower.planning import plan_of

HERE = Path(__file__).parent

Losses = dict[str, dict[str, list[float]]]

COMBINATIONS = {
    f"{optimizer}-{precision}-zero{stage}-{offload}": (optimizer, precision, stage, offload)
    for optimizer, precision in (("adamw", "fp32"), ("adamw", "bf16"), ("sgd", "fp32"))
    for stage in range(4)
    for offload in LEAST_STAGE
    if stage >= LEAST_STAGE[offload]
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def losses(tmp_path_factory: pytest.TempPathFactory) -> Losses:
    configs = {name: _config(*combination) for name, combination in COMBINATIONS.items()}
    loaded: Losses = with_torchrun(2, "engine_steps.py", configs, tmp_path_factory.mktemp("engine"))
    return loaded


def _config(optimizer: str, precision: str, stage: int, offload: str) -> object:
    offloads = {
        "optimizer": "none" if offload == "none" else "cpu",
        "parameters": "cpu" if offload == "both" else "none",
    }
    training = {
        "precision": precision,
        "learning_rate": 0.01,
        "optimizer": {"type": optimizer, "momentum": 0.9 if optimizer == "sgd" else 0.0},
    }
    deepspeed = {"zero": {"stage": stage, "reduce_bucket_size": 4096}, "offload": offloads}
    return plan_of({"deepspeed": deepspeed, "training": training}).ds_config


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_every_stage_and_offload_trains_alike(losses: Losses, optimizer: str) -> None:
    plain = losses[f"{optimizer}-fp32-zero0-none"]
    assert plain["start"][-1] < plain["start"][0]
    for name, curve in losses.items():
        if name.startswith(f"{optimizer}-fp32"):
            assert curve["start"] == pytest.approx(plain["start"], rel=1e-4), name
        elif name.startswith(f"{optimizer}-bf16"):
            assert curve["start"] == pytest.approx(plain["start"], rel=0.02), name


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_combination_resumes_exactly(losses: Losses, name: str) -> None:
    assert losses[name]["resumed"] == losses[name]["unbroken"]
