"""A job that is asked to stop, taken away or cancelled: what it leaves behind, and whether it comes back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from cfgc.runs.logs import Wanted, sources_of
from tests.runtime.bundles import write_corpus
from tests.slurm.bundles import RANKS_PATH, task_bundle, training_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

WORKS = """
saved=$CFGC_CHECKPOINT_DIR/count
count=$(cat "$saved" 2>/dev/null || echo 0)
mkdir -p "$CFGC_CHECKPOINT_DIR"
trap 'trap "" USR2 TERM; sleep {save} & wait $! && echo $((count + 1)) >"$saved" && exit 75' USR2 TERM
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
    """What the jobs wrote, over all attempts."""
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


def preempt(slurm: Cluster, directory: Path, script: str) -> tuple[str, Path]:
    """Start a task that runs ``script`` on n1, and take the node away from it; its job and run directory."""
    bundle, run = task_bundle(directory, script, "cluster.partition=low", "cluster.exclusive=true"), directory / "run"
    job = slurm.submit(bundle, "--nodelist=n1")
    wait_for(run / "started-001")
    take_n1(slurm, directory)
    return job, run


def take_n1(slurm: Cluster, directory: Path) -> None:
    """Submit a job that is worth more than those of the partition low."""
    important = directory / "important.sh"
    important.write_text("#!/bin/sh\nsleep 5\n")
    slurm.submit(important, "--nodelist=n1", "--exclusive")


def start_on_n1(slurm: Cluster, directory: Path, *overrides: str) -> tuple[str, Path]:
    """Submit a training that can be preempted, and wait for a rank; its job and run directory."""
    write_corpus(directory / "text")
    low = ("cluster.partition=low", "cluster.exclusive=true", "training.max_steps=5000")
    job = slurm.submit(training_bundle(directory, *low, *overrides), "--nodelist=n1", PYTHONPATH=RANKS_PATH)
    wait_for(directory / "run" / "attempts" / "001" / "pids" / "rank-1")
    return job, directory / "run"


FROM_THE_BEGINNING = "queued again, attempt 2 of 5, from the beginning, as nothing was saved yet"


@pytest.mark.parametrize("launcher", ["torchrun", "srun"])
def test_starts_that_are_taken_away_are_no_failures(launcher: str, slurm: Cluster, tmp_path: Path) -> None:
    """TERM reaches every process of the step, those too that do not listen yet. Cancelled, it stays away."""
    job, run = start_on_n1(slurm, tmp_path, f'launch.launcher="{launcher}"')
    take_n1(slurm, tmp_path)
    wait_for(run / "attempts" / "002" / "pids" / "rank-1")
    slurm.run("scontrol", "requeue", job)
    wait_for(run / "attempts" / "003" / "pids" / "rank-1")
    slurm.cancel(job)
    ended = slurm.wait(job)
    assert (ended.state, ended.code, ended.restarts) == ("CANCELLED", 75, 2), said(run)
    assert FROM_THE_BEGINNING in said(run)
    assert "it was cancelled, and goes on when it is submitted again" in said(run)
    assert not (run / "metrics.jsonl").exists()
    assert all((run / "attempts" / attempt / "taken").exists() for attempt in attempts(run))


def test_a_chain_goes_on_after_a_start_that_was_taken_away(slurm: Cluster, tmp_path: Path) -> None:
    job, run = start_on_n1(slurm, tmp_path, "cluster.chain=true")
    take_n1(slurm, tmp_path)
    ended = slurm.wait(job)
    assert ended.code == 75, said(run)
    assert ended.state in {"FAILED", "PREEMPTED"}  # Slurm's word for whether the script or the grace time ended first
    assert FROM_THE_BEGINNING in said(run)
    wait_for(run / "attempts" / "002" / "pids" / "rank-1")
    assert str(int(job) + 1) in slurm.queue()


def test_a_time_limit_that_leaves_no_time_before_the_signal_is_said(slurm: Cluster, tmp_path: Path) -> None:
    for limit, is_said in ((5, True), (6, False)):
        bundle = task_bundle(tmp_path / str(limit), "exit 0", "launch.time_limit=1h")
        ended = slurm.wait(slurm.submit(bundle, f"--time={limit}"))
        assert ended.state == "COMPLETED"
        note = f"the job's time limit is {limit} min, and the plan has it asked to save 5 min before that: at once"
        assert (note in said(tmp_path / str(limit) / "run")) is is_said


def test_a_preempted_job_comes_back(slurm: Cluster, tmp_path: Path) -> None:
    job, run = preempt(slurm, tmp_path, works(1))
    ended = slurm.wait(job)
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)
    assert "saved; queued again, attempt 2 of 5" in said(run)
    assert attempts(run) == ["001", "002"]


def test_a_preemption_that_cuts_a_save_off_costs_that_save_alone(slurm: Cluster, tmp_path: Path) -> None:
    """The first save takes longer than the grace time and KillWait: Slurm kills it, and queues the job again."""
    slow = works(1).replace("sleep 0.2", "sleep $((10#$CFGC_ATTEMPT == 1 ? 60 : 0))")
    job, run = preempt(slurm, tmp_path, slow)
    saved = run / "checkpoints" / "count"
    wait_for(run / "started-002", 120)
    assert not saved.exists()
    assert "queued again, attempt" not in said(run)
    slurm.cancel("--signal=USR2", "--batch", job)
    ended = slurm.wait(job)
    assert (ended.state, ended.code, ended.restarts) == ("COMPLETED", 0, 2), said(run)
    assert saved.read_text() == "1\n"
    assert "saved; queued again, attempt 3 of 5" in said(run)
    assert attempts(run) == ["001", "002", "003"]


@pytest.mark.covers("launch.time_limit")
def test_a_job_saves_before_its_time_limit_and_comes_back(slurm: Cluster, tmp_path: Path) -> None:
    times = ("launch.time_limit=2min", "launch.signal_lead=1min", "launch.shutdown_grace=30s")
    bundle, run = task_bundle(tmp_path, works(1), *times), tmp_path / "run"
    ended = slurm.wait(slurm.submit(bundle))
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)
    assert "saved; queued again, attempt 2 of 5" in said(run)
    assert attempts(run) == ["001", "002"]


def test_two_attempts_that_got_nowhere_are_the_last(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, "kill -9 $$"), tmp_path / "run"
    job = slurm.submit(bundle)
    for attempt in ("001", "002", "003"):
        ended = slurm.wait(job)
        assert (ended.state, ended.code) == ("FAILED", 137), said(run)
        if attempt != "003":
            slurm.run("scontrol", "requeue", job)
    assert "not started again: attempts 1 and 2 both failed before a checkpoint after step 0" in said(run)
    assert attempts(run) == ["001", "002"]


def test_an_attempt_that_slurm_killed_for_a_requeue_did_not_fail(slurm: Cluster, tmp_path: Path) -> None:
    first = 'trap "" USR2 TERM; touch "$CFGC_RUN_DIR/started-001"; sleep 300'
    script = f"case $CFGC_ATTEMPT in 001) {first} ;; 002) kill -9 $$ ;; esac"
    bundle, run = task_bundle(tmp_path, script), tmp_path / "run"
    job = slurm.submit(bundle)
    wait_for(run / "started-001")
    slurm.run("scontrol", "requeue", job)  # it does not listen
    assert slurm.wait(job).code == 137
    slurm.run("scontrol", "requeue", job)
    assert slurm.wait(job).state == "COMPLETED", said(run)
    assert attempts(run) == ["001", "002", "003"]


def test_a_save_of_90_s_is_waited_for(slurm: Cluster, tmp_path: Path) -> None:
    times = ("launch.time_limit=10min", "launch.step_time=1s", "launch.save_time=90s")
    bundle, run = task_bundle(tmp_path, works(1, 90), *times, nodes=2), tmp_path / "run"
    assert "#SBATCH --signal=B:USR2@180" in (bundle / "job.sbatch").read_text()
    job = slurm.submit(bundle)
    wait_for(run / "started-001")
    slurm.cancel("--signal=USR2", "--batch", job)
    ended = slurm.wait(job)
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)


@pytest.mark.covers("cluster.chain")
def test_a_chain_goes_on_without_a_requeue(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, works(1), "cluster.chain=true"), tmp_path / "run"
    assert "#SBATCH --no-requeue" in (bundle / "job.sbatch").read_text()
    logs = tmp_path / "50 % of the logs"
    logs.mkdir()
    job = slurm.submit(bundle, f"--output={str(logs).replace('%', '%%')}/%j.out")
    wait_for(run / "started-001")
    slurm.cancel("--signal=USR2", "--batch", job)
    ended = slurm.wait(job)
    assert (ended.state, ended.code, ended.restarts) == ("FAILED", 75, 0), said(run)
    second = slurm.wait(str(int(job) + 1))
    assert second.state == "COMPLETED", said(run)
    assert slurm.queue() == ()  # the third was cancelled
    assert attempts(run) == ["001", "002"]
    (log,) = (source.path for source in sources_of(run, "", Wanted()) if source.label == f"job-{second.id}")
    assert log.parent == logs
    assert f"attempt 2 in {run}" in log.read_text()


@pytest.mark.parametrize(("end", "code"), [("exit 3", 3), ("scancel", 75)])
def test_a_chain_ends_with_a_failure_and_with_scancel(end: str, code: int, slurm: Cluster, tmp_path: Path) -> None:
    bundle = task_bundle(tmp_path, works(1) if end == "scancel" else end, "cluster.chain=true")
    run = tmp_path / "run"
    job = slurm.submit(bundle)
    if end == "scancel":
        wait_for(run / "started-001")
        slurm.cancel(job)
    ended = slurm.wait(job)
    assert ended.code == code, said(run)
    assert slurm.wait(str(int(job) + 1)).state == "CANCELLED", said(run)


def test_a_chain_is_as_long_as_its_attempts(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, works(9), "cluster.chain=true", "launch.max_attempts=2"), tmp_path / "run"
    first = slurm.submit(bundle)
    for number, attempt in enumerate(("001", "002")):
        wait_for(run / f"started-{attempt}")
        slurm.cancel("--signal=USR2", "--batch", str(int(first) + number))
    assert slurm.wait(str(int(first) + 1)).code == 75
    assert "not started again: this was attempt 2 of 2" in said(run)
    assert slurm.queue() == ()
