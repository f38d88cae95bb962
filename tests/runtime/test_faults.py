"""Ranks that hang, saves that take long, starts that follow by themselves: what is lost, and what is said."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.runtime.bundles import WAIT_S, Run, new_run
from tests.runtime.kills import newest

pytestmark = pytest.mark.slow


def exits(run: Run, attempt: int) -> dict[int, int]:
    """Exit code of each rank."""
    files = (run.directory / "attempts" / f"{attempt:03d}" / "exits").glob("rank-*")
    records = [json.loads(file.read_text()) for file in files]
    return {record["rank"]: record["code"] for record in records}


@pytest.mark.covers("launch.watchdog", "launch.restart", "launch.restart_delay", "launch.max_attempts")
def test_a_rank_that_hangs_is_named_and_the_run_starts_again_as_often_as_it_may(tmp_path: Path) -> None:
    options = ["watchdog=4s", "restart=true", "restart_delay=1s", "max_attempts=2"]
    run = new_run(tmp_path, *(f"launch.{option}" for option in options))
    process = run.start(TEST_HANG="1:9", TEST_SLOW="0.1")  # sleeps in the first micro step of step 5
    run.wait_for_step(5, process)  # in the second attempt
    os.kill(run.pids(attempt=2)[0], signal.SIGSTOP)
    out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 77, (out, err, run.logs())

    assert "error: rank 1 failed with exit code 77: a rank stood still (launch.watchdog)" in err
    assert "in step 5, micro step 1 (training): File " in err
    assert "sitecustomize.py" in err  # where it sleeps
    logs = run.directory / "attempts" / "001" / "logs"
    assert "in all_reduce" in (logs / "rank-0.log").read_text()  # the one that waited wrote its stacks too
    assert "in counted" in (logs / "rank-1.log").read_text()

    assert "starting again in 1 s, attempt 2 of 2, from step 4" in err
    assert "resumed from step 4" in out
    assert "error: rank 0 failed with exit code 77" in err
    assert "its process is stopped by a signal (kill -CONT goes on)" in err
    assert "not started again: this was attempt 2 of 2 (launch.max_attempts)" in err
    assert newest(run) == 4


@pytest.mark.covers("launch.shutdown_grace")
def test_a_long_save_is_waited_for_when_one_rank_and_torchrun_are_told_to_end(tmp_path: Path) -> None:
    run = new_run(tmp_path, "launch.watchdog=4s", "launch.shutdown_grace=40s")
    process = run.start(TEST_SLOW="0.1", TEST_SAVE="6")
    run.wait_for_step(1, process)
    rank = run.pids()[1]
    os.kill(rank, signal.SIGTERM)
    os.kill(parent(parent(rank)), signal.SIGTERM)
    _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 75, (err, run.logs())
    assert "stopped as asked" in err
    assert newest(run) == max(run.steps())
    assert exits(run, 1) == {0: 75, 1: 75}


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
