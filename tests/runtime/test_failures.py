"""What goes wrong ends with the failing rank's own code and one clear sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import WAIT_S, clean_environment, new_run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_missing_data_is_named_and_its_code_comes_home(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    shutil.rmtree(run.cwd / "text")
    outcome = run.to_end()
    assert outcome.code == 66
    assert f"data source `text`: {run.cwd}/text is not a directory" in outcome.err
    assert "Traceback" not in outcome.err + outcome.out


def test_another_number_of_ranks_is_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    runtime, directory = str(run.bundle / "runtime"), str(run.directory)
    python = [sys.executable, "-B"]
    environment = clean_environment(tmp_path) | {"DS_ACCELERATOR": "cpu"}
    staging = [*python, runtime, "stage", "--bundle", str(run.bundle), "--run-dir", directory]
    subprocess.run(staging, check=True, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    torchrun = [*python, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1", runtime, "rank"]
    node = [*python, runtime, "node", "--run-dir", directory, "--node-rank", "0", "--", *torchrun]
    outcome = subprocess.run(
        node, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert outcome.returncode == 78, outcome
    assert "ranks: 1 started, 2 planned" in outcome.stderr


@pytest.mark.parametrize("stage", [0, 2])
def test_a_gradient_that_is_not_a_number_on_one_rank_stops_them_all(tmp_path: Path, stage: int) -> None:
    run = new_run(tmp_path, f"deepspeed.zero.stage={stage}", "checkpoint.every_steps=1")
    outcome = run.to_end(TEST_BREAK="1:5")  # the first micro step of step 3
    assert outcome.code == 3, (outcome, run.logs())
    assert "step 3 is not a number any more (the checkpoint of step 2 is untouched)" in outcome.err
    assert [path.name for path in sorted((run.directory / "checkpoints").glob("step-*"))] == [
        "step-00000001",
        "step-00000002",
    ]
    assert not (run.directory / "finished.json").exists()
