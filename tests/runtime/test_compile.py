"""A compiled model trains as the same model does when it is not, and goes on from a checkpoint bit for bit.

Compiled kernels sum in another order: losses of the first steps, dropout included, agree within 1e-5 of
their size in fp32.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.runtime.bundles import HERE, clean_environment, compile_tiny, free_port, write_corpus
from tests.runtime.compile_worker import NAMES

pytestmark = [pytest.mark.slow, pytest.mark.covers("training.compile")]

SMALL = ("model.num_layers=1", "launch.gpus_per_node=1", "evaluation.micro_batch_size=3", "training.warmup_steps=0")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("compiled")
    write_corpus(directory / "text")
    for name in NAMES:
        compiled = "true" if name.startswith("compiled") else "false"
        compile_tiny(directory / name, f"deepspeed.zero.stage={name[-1]}", f"training.compile={compiled}", *SMALL)
    root = HERE.parents[1]
    rank = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.runtime.compile_worker", str(directory)],
        cwd=directory,
        env=clean_environment(directory)
        | rank
        | {"MASTER_PORT": str(free_port()), "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
        | {"PYTHONPATH": f"{root}:{root / 'runtime'}:{root / 'compiler'}"}
        # Threads of this process compile: a pool of others would import torch first.
        | {"TORCHINDUCTOR_CACHE_DIR": str(directory / "kernels"), "TORCHINDUCTOR_COMPILE_THREADS": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads((directory / "seen.json").read_text())
    return found


def test_losses_are_those_of_the_model_as_it_is(seen: dict[str, Any]) -> None:
    plain, compiled = seen["plain-0"], seen["compiled-2"]
    assert (plain["compiled"], compiled["compiled"]) == (False, True)
    assert compiled["losses"][-1] < compiled["losses"][0] - 0.1
    assert compiled["losses"] == pytest.approx(plain["losses"], rel=1e-5)


def test_so_are_evaluations(seen: dict[str, Any]) -> None:
    assert seen["compiled-2"]["held_out"] == pytest.approx(seen["plain-0"]["held_out"], rel=1e-5)


def test_a_resumed_run_runs_the_same_kernels(seen: dict[str, Any]) -> None:
    resumed = seen["resumed"]["losses"]
    assert resumed == seen["compiled-2"]["losses"][-len(resumed) :]
