"""The real engine takes the ds_config of every stage, optimizer and offload, and all train alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deepspeed.test_ds_config import LEAST_STAGE
from tests.unit.lower.planning import plan_of

HERE = Path(__file__).parent

COMBINATIONS = {
    f"{optimizer}-zero{stage}-{offload}": (stage, offload, optimizer)
    for stage in range(4)
    for offload in LEAST_STAGE
    if stage >= LEAST_STAGE[offload]
    for optimizer in ("adamw", "sgd")
}


@pytest.fixture(scope="module")
def losses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    folder = tmp_path_factory.mktemp("engine")
    configs, outcome = folder / "configs.json", folder / "losses.json"
    configs.write_text(json.dumps({name: _config(*combination) for name, combination in COMBINATIONS.items()}))
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "engine_steps.py"]
    environment = {**os.environ, "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command, str(configs), str(outcome)],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    loaded: dict[str, list[float]] = json.loads(outcome.read_text())
    return loaded


def _config(stage: int, offload: str, optimizer: str) -> object:
    offloads = {
        "optimizer": "none" if offload == "none" else "cpu",
        "parameters": "cpu" if offload == "both" else "none",
    }
    plan = plan_of(
        {
            "deepspeed": {"zero": {"stage": stage, "reduce_bucket_size": 4096}, "offload": offloads},
            "training": {
                "precision": "fp32",
                "learning_rate": 0.01,
                "optimizer": {"type": optimizer, "momentum": 0.9 if optimizer == "sgd" else 0.0},
            },
        }
    )
    return plan.ds_config


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_every_stage_and_offload_trains_alike(losses: dict[str, list[float]], optimizer: str) -> None:
    curves = {name: curve for name, curve in losses.items() if name.startswith(optimizer)}
    plain = curves[f"{optimizer}-zero0-none"]
    assert plain[-1] < plain[0]
    for curve in curves.values():
        assert curve == pytest.approx(plain, rel=1e-4)
