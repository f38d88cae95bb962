"""A compiled model trains as the same model does when it is not, and goes on from a checkpoint bit for bit.

Compiled kernels sum in another order: losses of the first steps, dropout included, agree within 1e-5 of
their size in fp32.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.runtime.bundles import clean_environment, compile_tiny, free_port, write_corpus
from tests.runtime.compile_worker import NAMES
from tests.runtime.workers import run_worker

pytestmark = [pytest.mark.slow, pytest.mark.covers("training.compile")]

SMALL = ("model.num_layers=1", "launch.gpus_per_node=1", "evaluation.micro_batch_size=3", "training.warmup_steps=0")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("compiled")
    write_corpus(directory / "text")
    for name in NAMES:
        compiled = "true" if name.startswith("compiled") else "false"
        compile_tiny(directory / name, f"deepspeed.zero.stage={name[-1]}", f"training.compile={compiled}", *SMALL)
    base = clean_environment(directory) | {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
    base |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    # Threads of this process compile: a pool of others would import torch first.
    base |= {"TORCHINDUCTOR_CACHE_DIR": str(directory / "kernels"), "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    run_worker("tests.runtime.compile_worker", directory, base=base, wait_s=600)
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
