"""The fp16 path: it trains as fp32 does, and a step that overflows is skipped.

DeepSpeed takes fp16 on few CPUs. torch computes it on all, so that here DeepSpeed is told that it may.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.runtime.bundles import compile_tiny, free_port
from tests.runtime.workers import run_worker

pytestmark = [pytest.mark.slow, pytest.mark.covers("training.precision", "deepspeed.fp16.initial_scale_power")]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("fp16")
    plain = ("model.hidden_dropout=0.0", "launch.gpus_per_node=1", "tracking.log_level=info")
    for name in ("fp32", "1", "2", "3"):
        bundle = compile_tiny(directory / name, f"deepspeed.zero.stage={1 if name == 'fp32' else name}", *plain)
        settings = json.loads((bundle / "ds_config.json").read_text())
        if name != "fp32":
            settings["fp16"]["enabled"] = True
            settings["data_types"] |= {"grad_accum_dtype": "fp16", "param_dtype": "fp16"}
            settings["communication_data_type"] = "fp16"
        (bundle / "ds_config.json").write_text(json.dumps(settings))
    shown = run_worker("tests.runtime.fp16_worker", directory, MASTER_PORT=str(free_port()))
    result: dict[str, Any] = json.loads(shown.splitlines()[-1])
    return result


@pytest.mark.parametrize("stage", ["1", "2", "3"])
def test_fp16_trains_like_fp32(stage: str, found: dict[str, Any]) -> None:
    """Losses and norms of four steps within 1e-3: three digits are what fp16 holds."""
    for ours, theirs in zip(found[stage], found["fp32"], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_step_that_overflows_is_skipped_and_is_no_divergence(found: dict[str, Any]) -> None:
    assert found["overflow"] == {"skipped": True, "norm": None, "diverged": False, "unchanged": True}
