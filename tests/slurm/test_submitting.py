"""submit.sh, `cfgc submit`, `cfgc runs` and `cfgc logs` on a real cluster."""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.slurm.bundles import rank_logs, task_bundle
from tests.slurm.test_coming_back import attempts, said, wait_for, works

if TYPE_CHECKING:
    import subprocess

    from tests.slurm.cluster import Cluster

REPOSITORY = Path(__file__).resolve().parents[2]
WAITS_AND_FAILS = 'touch "$CFGC_RUN_DIR/up"\nwhile [[ ! -e $CFGC_RUN_DIR/go ]]; do sleep 0.1; done\nexit 7\n'


def cfgc(cluster: Cluster, cwd: Path, *words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """cfgc, as somebody on the login node has it."""
    python = os.pathsep.join([str(REPOSITORY / "compiler"), str(REPOSITORY / "runtime")])
    return cluster.run(sys.executable, "-m", "cfgc", *words, cwd=cwd, check=check, PYTHONPATH=python)


def state(cluster: Cluster, run: Path) -> dict[str, Any]:
    """How `cfgc runs` says that ``run`` stands."""
    listed = json.loads(cfgc(cluster, run.parent, "runs", run, "--format", "json").stdout)
    found: dict[str, Any] = listed[0]
    return found


def until_state(cluster: Cluster, run: Path, wanted: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (found := state(cluster, run))["state"] != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
    return found


def number(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.split()[2]


def test_a_run_is_submitted_watched_and_read_after_it_failed(slurm: Cluster, tmp_path: Path) -> None:
    """Two nodes of one rank each; rank 1 fails. From queued to its log, with cfgc."""
    script = 'echo "rank $RANK works"\nwhile [[ ! -e $CFGC_RUN_DIR/go ]]; do sleep 0.1; done\n'
    script += "((RANK == 1)) || exec sleep 300\necho 'the disk is made of cheese' >&2\nexit 42"
    bundle, run = task_bundle(tmp_path, script, nodes=2), tmp_path / "run"
    job = number(cfgc(slurm, tmp_path, "submit", bundle, "--", "--hold", "--nodelist=n[1-2]"))
    queued = state(slurm, run)
    assert (queued["state"], queued["job"]["id"], queued["job"]["reason"]) == ("queued", job, "JobHeldUser")
    slurm.run("scontrol", "release", job)
    running = until_state(slurm, run, "running")
    assert (running["job"]["state"], running["job"]["limit"]) == ("RUNNING", "1-00:00:00")
    wait_for(run / "attempts" / "001" / "pids" / "rank-1")
    (run / "go").touch()
    assert slurm.wait(job).code == 42
    assert until_state(slurm, run, "failed")["code"] == 42

    lines = cfgc(slurm, tmp_path, "logs", run).stdout.splitlines()
    assert lines[0].startswith("1/rank-1@n2  failed first, ")
    assert "ended with exit code 42" in lines[0]
    assert "  | the disk is made of cheese" in lines
    assert "1/rank-0@n1  rank 0 works" in lines
    assert any(line.startswith(f"job-{job}  job.sbatch: failed with exit code 42") for line in lines)
    assert all(
        "rank-1@n2" in line for line in cfgc(slurm, tmp_path, "logs", run, "--rank", "1").stdout.splitlines()[4:]
    )


def test_slurm_is_asked_first_and_its_words_come_with_a_hint(slurm: Cluster, tmp_path: Path) -> None:
    bundle = task_bundle(tmp_path, "true")
    assert "to start at" in cfgc(slurm, tmp_path, "submit", bundle, "--test-only").stderr
    refused = cfgc(slurm, tmp_path, "submit", bundle, "--test-only", "--", "--nodes=9", check=False)
    assert refused.returncode == 69
    assert "= help: " in refused.stderr
    assert slurm.queue() == ()
    assert not (tmp_path / "run").exists()


@pytest.mark.covers("cluster.log_dir")
def test_the_log_directory_is_made_and_machines_that_failed_are_avoided(slurm: Cluster, tmp_path: Path) -> None:
    logs = tmp_path / 'it\'s 100% "logs" & co'
    bundle, run = task_bundle(tmp_path, "hostname", f"cluster.log_dir={json.dumps(str(logs))}"), tmp_path / "run"
    run.mkdir()
    (run / "excluded_nodes").write_text("n1\nn2\nn3\n")
    job = slurm.run(bundle / "submit.sh", "--parsable", cwd=tmp_path).stdout.strip()
    assert slurm.wait(job).nodes == "n4"
    assert rank_logs(run)["rank-0"] == "n4\n"
    (log,) = logs.iterdir()
    assert log.name == f"slurm-{tmp_path.name}-{job}.out"
    assert f"job-{job}  " in cfgc(slurm, tmp_path, "logs", run).stdout


def test_a_rebuild_while_the_job_is_queued_is_refused(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, "echo old"), tmp_path / "run"
    job = number(slurm.run(bundle / "submit.sh", "--", "--hold", cwd=tmp_path))
    task_bundle(tmp_path, "echo new")
    slurm.run("scontrol", "release", job)
    ended = slurm.wait(job)
    assert (ended.state, ended.code) == ("FAILED", 65)
    assert f"job.sbatch: {bundle} was built again since this job was submitted; submit it again" in said(run)
    assert not (run / "attempts").exists()
    found = until_state(slurm, run, "failed")
    assert (found["code"], found["job"]["id"]) == (65, job)
    assert slurm.wait(number(slurm.run(bundle / "submit.sh", cwd=tmp_path))).state == "COMPLETED"
    assert rank_logs(run)["rank-0"] == "new\n"


def test_a_requeued_job_goes_on_with_its_own_copy(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, works(1)), tmp_path / "run"
    job = number(slurm.run(bundle / "submit.sh", cwd=tmp_path))
    wait_for(run / "started-001")
    task_bundle(tmp_path, "echo new")
    slurm.cancel("--signal=USR2", "--batch", job)
    slurm.wait(job, "PENDING")
    assert state(slurm, run)["state"] == "queued"
    assert slurm.wait(job).state == "COMPLETED", said(run)
    assert attempts(run) == ["001", "002"]
    assert "new" not in rank_logs(run, 2)["rank-0"]
    assert state(slurm, run)["state"] == "finished"


WAITS = """
touch "$CFGC_RUN_DIR/up"
while [[ ! -e $GO ]]; do sleep 0.1; done
exit "$1"
"""


def test_a_job_is_written_down_before_it_is_waited_for(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run, go = task_bundle(tmp_path, WAITS, 'task.args=["42"]'), tmp_path / "run", tmp_path / "go"
    with ThreadPoolExecutor() as threads:
        submitting = threads.submit(
            slurm.run, bundle / "submit.sh", "--parsable", "--", "--wait", cwd=tmp_path, check=False, GO=str(go)
        )
        wait_for(run / "up")
        (job,) = jobs(run)
        assert not submitting.done()
        assert state(slurm, run)["job"]["id"] == job
        go.touch()
    done = submitting.result()
    assert (done.returncode, done.stdout) == (42, f"{job}\n"), done.stderr
    assert slurm.job(job).code == 42


def test_all_arrays_are_waited_for_at_once(slurm: Cluster, tmp_path: Path) -> None:
    """Three points in arrays of two; the first point fails with 3, the last one with 7."""
    bundle, run, go = three_points(tmp_path), tmp_path / "run", tmp_path / "go"
    with ThreadPoolExecutor() as threads:
        submitting = threads.submit(
            slurm.run, bundle / "submit.sh", "--parsable", "--", "--wait", cwd=tmp_path, check=False, GO=str(go)
        )
        for point in range(3):
            wait_for(run / "points" / f"{point:04d}" / "up")
        assert len(jobs(run)) == 2
        go.touch()
    done = submitting.result()
    assert (done.returncode, done.stdout.split()) == (7, jobs(run)), done.stderr


def test_an_array_that_slurm_refuses_leaves_those_before_it(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run, go = three_points(tmp_path), tmp_path / "run", tmp_path / "go"
    go.touch()
    wrapper = tmp_path / "bin" / "sbatch"
    wrapper.parent.mkdir()
    real = slurm.directory / "bin" / "sbatch"
    wrapper.write_text(
        f'#!/bin/bash\n[[ $CFGC_POINT_OFFSET == 0 ]] || set -- --partition=none "$@"\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}{os.pathsep}{slurm.environment['PATH']}"
    done = slurm.run(bundle / "submit.sh", "--parsable", cwd=tmp_path, check=False, GO=str(go), PATH=path)
    (job,) = jobs(run)
    assert (done.returncode, done.stdout) == (69, f"{job}\n")
    assert "sbatch: error: " in done.stderr
    assert "submit.sh: Slurm did not take it; not submitted: points from 2 on\n" in done.stderr
    assert [slurm.wait(f"{job}_{task}").code for task in range(2)] == [3, 0]


def three_points(directory: Path) -> Path:
    """A sweep in two arrays, whose points end with 3, 0 and 7."""
    points = ('sweep.method="grid"', 'sweep.parameters.task.args=[["3"], ["0"], ["7"]]', "cluster.max_array_size=2")
    return task_bundle(directory, WAITS, *points, "launch.launcher=srun")


def jobs(run: Path) -> list[str]:
    """The jobs that are written down."""
    return [json.loads(line)["id"] for line in (run / "jobs.jsonl").read_text().splitlines()]


def test_a_run_that_slurm_ended_unheard_is_said(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, 'touch "$CFGC_RUN_DIR/up"; trap "" TERM; sleep 300', nodes=1), tmp_path / "run"
    job = number(slurm.run(bundle / "submit.sh", cwd=tmp_path))
    wait_for(run / "up")
    exits = run / "attempts" / "001" / "exits"
    assert state(slurm, run)["state"] == "running"
    slurm.cancel(job)
    slurm.wait(job)
    for record in exits.iterdir():
        record.unlink()
    assert until_state(slurm, run, "cancelled")["job"]["state"] == "CANCELLED"


def test_what_never_started_was_cancelled_or_was_refused_is_said(slurm: Cluster, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    first, run = task_bundle(tmp_path / "first", WAITS_AND_FAILS), tmp_path / "first" / "run"
    job = number(slurm.run(first / "submit.sh", cwd=tmp_path))
    wait_for(run / "up")
    refused = number(slurm.run(first / "submit.sh", cwd=tmp_path))
    assert slurm.wait(refused).code == 65
    assert state(slurm, run)["state"] == "running"

    later = {name: tmp_path / name for name in ("second", "third")}
    numbers = {}
    for name, directory in later.items():
        directory.mkdir()
        options = [f"--dependency=afterok:{job}", "--kill-on-invalid-dep=yes"] if name == "second" else ["--hold"]
        numbers[name] = number(slurm.run(task_bundle(directory, "true") / "submit.sh", "--", *options, cwd=tmp_path))
    slurm.cancel(numbers["third"])
    (run / "go").touch()
    assert slurm.wait(job).code == 7

    found = until_state(slurm, run, "failed")
    assert (found["code"], found["job"]["id"]) == (7, job)
    assert f"no attempt was started in job {refused}" in found["message"]
    skipped = until_state(slurm, later["second"] / "run", "skipped")
    assert skipped["message"] == f"job {numbers['second']} never started: job {job}, which it needs, ended as FAILED"
    assert "before the run began" in until_state(slurm, later["third"] / "run", "cancelled")["message"]
