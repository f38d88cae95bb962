"""A job that is asked to stop, taken away or cancelled: what it leaves behind, and whether it comes back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.slurm.bundles import task_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

WORKS = """
count=$(cat "$CFGC_CHECKPOINT_DIR/count" 2>/dev/null || echo 0)
mkdir -p "$CFGC_CHECKPOINT_DIR"
trap 'sleep {save} & wait $!; echo $((count + 1)) >"$CFGC_CHECKPOINT_DIR/count"; exit 75' USR2 TERM
touch "$CFGC_RUN_DIR/started-$CFGC_ATTEMPT"
((count < {saves})) || exit 0
for ((i = 0; i < 3000; i++)); do sleep 0.1 & wait $!; done
exit 9
"""
"""A task that ends once it was asked to save ``saves`` times, each of which takes ``save`` seconds."""


def works(saves: int, save: float = 0.2) -> str:
    return WORKS.format(saves=saves, save=save)


def wait_for(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come: {said(path.parent)}"
        time.sleep(0.1)


def said(run: Path) -> str:
    """What the job wrote, over all of its attempts."""
    return "".join(path.read_text() for path in sorted(run.parent.glob("slurm-*.out")))


def attempts(run: Path) -> list[str]:
    return sorted(path.name for path in (run / "attempts").iterdir())


@pytest.mark.covers("launch.max_attempts")
def test_a_job_that_saved_comes_back_until_its_attempts_are_used_up(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, works(3), "launch.max_attempts=2"), tmp_path / "run"
    job = slurm.submit(bundle)
    for attempt in ("001", "002"):
        wait_for(run / f"started-{attempt}")
        slurm.cancel("--signal=USR2", "--batch", job)
    ended = slurm.wait(job)
    assert (ended.state, ended.code, ended.restarts) == ("FAILED", 75, 1), said(run)
    assert "saved; queued again, attempt 2 of 2" in said(run)
    assert "not started again: this was attempt 2 of 2 (launch.max_attempts)" in said(run)

    again = slurm.submit(bundle)  # a person may go on all the same
    wait_for(run / "started-003")
    slurm.cancel("--signal=USR2", "--batch", again)
    assert slurm.wait(again).code == 75
    assert slurm.wait(slurm.submit(bundle)).state == "COMPLETED", said(run)
    assert attempts(run) == ["001", "002", "003", "004"]


def test_slurms_own_requeues_count_too(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, works(9), "launch.max_attempts=2"), tmp_path / "run"
    job = slurm.submit(bundle)
    for attempt in ("001", "002"):
        wait_for(run / f"started-{attempt}")
        slurm.run("scontrol", "requeue", job)
    ended = slurm.wait(job)
    assert (ended.state, ended.code, ended.restarts) == ("FAILED", 75, 2), said(run)
    assert "not started again: this was attempt 2 of 2 (launch.max_attempts); submit it by hand" in said(run)
    assert attempts(run) == ["001", "002"]


def test_a_cancelled_job_saves_and_stays_away(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, works(1)), tmp_path / "run"
    job = slurm.submit(bundle)
    wait_for(run / "started-001")
    slurm.cancel(job)
    ended = slurm.wait(job)
    assert (ended.state, ended.code, ended.restarts) == ("CANCELLED", 75, 0), said(run)
    assert "it was cancelled" in said(run)
    assert slurm.wait(slurm.submit(bundle)).state == "COMPLETED", said(run)


@pytest.mark.parametrize("save", [0.2, 60])
def test_a_preempted_job_comes_back(save: float, slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, works(1, save), "cluster.partition=low", "cluster.exclusive=true"), tmp_path / "run"
    job = slurm.submit(bundle, "--nodelist=n1")
    wait_for(run / "started-001")
    script = tmp_path / "important.sh"
    script.write_text("#!/bin/sh\nsleep 5\n")
    slurm.submit(script, "--nodelist=n1", "--exclusive")
    if save > 5:  # more than the grace time: Slurm takes it away before it has saved
        wait_for(run / "started-002")
        slurm.cancel("--signal=USR2", "--batch", job)
        assert slurm.wait(job, "RUNNING", "COMPLETING", "PENDING").restarts >= 1
        return
    ended = slurm.wait(job)
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)
    assert "saved; queued again, attempt 2 of 5" in said(run)


@pytest.mark.covers("launch.time_limit")
def test_a_job_saves_before_its_time_limit_and_comes_back(slurm: Cluster, tmp_path: Path) -> None:
    times = ("launch.time_limit=2min", "launch.step_time=1s", "launch.save_time=1s")
    bundle, run = task_bundle(tmp_path, works(1), *times), tmp_path / "run"
    ended = slurm.wait(slurm.submit(bundle))
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)
    assert "saved; queued again, attempt 2 of 5" in said(run)
    assert attempts(run) == ["001", "002"]
