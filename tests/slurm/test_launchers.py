"""torchrun and srun as launchers: who ends a job, with which code, and who meets whom."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import WAIT_S, Run, write_corpus
from tests.slurm.bundles import RANKS_PATH, rank_logs, task_bundle, training_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.slurm.cluster import Cluster

LAUNCHERS = ("torchrun", "srun")
LAST = "[[ $RANK == 3 ]]"


def launched_by(launcher: str) -> str:
    return f"launch.launcher={launcher}"


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.covers("launch.launcher")
def test_the_code_of_a_rank_on_another_node_reaches_sbatch_and_sacct(slurm: Cluster, tmp_path: Path) -> None:
    """Both launchers at once, each on two nodes: the last rank fails in its own way, the others have long to go."""
    waiting = {}
    for launcher, how in (("torchrun", "exit 42"), ("srun", "kill -SEGV $$")):
        (tmp_path / launcher).mkdir()
        script = f"{LAST} || exec sleep 300\nulimit -c 0\n{how}"
        bundle = task_bundle(tmp_path / launcher, script, launched_by(launcher), nodes=2, ranks=2)
        command = ("sbatch", "--wait", "--parsable", str(bundle / "job.sbatch"))
        waiting[launcher] = subprocess.Popen(
            command, cwd=tmp_path / launcher, env=slurm.environment, stdout=subprocess.PIPE, text=True
        )
    for launcher, code in (("torchrun", 42), ("srun", 139)):
        job = waiting[launcher].communicate(timeout=WAIT_S)[0].strip()
        assert waiting[launcher].returncode == code, launcher
        assert slurm.job(job).code == code
        said = slurm.run("sacct", "-c", "-n", "-P", "-j", job, "--format=State,ExitCode").stdout.split()
        assert said == [f"FAILED|{code}:0"]
        log = (tmp_path / launcher / f"slurm-{launcher}-{job}.out").read_text()
        assert log.count(f"error: rank 3 failed with exit code {code}") == 1
        assert "rank-3" in rank_logs(tmp_path / launcher / "run")
        assert "srun: error" in rank_logs(tmp_path / launcher / "run")["srun"]


def test_a_supervisor_that_cannot_start_ends_the_others(slurm: Cluster, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/bash\n[[ $(hostname) != n2 ]] || exit 127\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    bundle = task_bundle(tmp_path, "exec sleep 300", launched_by("srun"), nodes=2, ranks=2)
    job = slurm.wait(slurm.submit(bundle, "--nodelist=n[1-2]", PYTHON=str(python)))
    assert job.code == 127
    log = (tmp_path / f"slurm-{tmp_path.name}-{job.id}.out").read_text()
    assert "its supervisor ended with exit code 127 on n2" in log


def test_a_supervisor_that_is_killed_ends_the_others(slurm: Cluster, tmp_path: Path) -> None:
    bundle = task_bundle(tmp_path, "exec sleep 300", launched_by("srun"), nodes=2, ranks=1)
    job = slurm.submit(bundle, "--nodelist=n[1-2]")
    until((tmp_path / "run/attempts/001/pids/rank-1").exists)
    slurm.on("n2", "pkill", "-KILL", "-f", f"{tmp_path}/run/bundle/runtime node .*--node-rank 1")
    assert slurm.wait(job).code == 137


def test_a_step_that_is_killed_ends_the_job(slurm: Cluster, tmp_path: Path) -> None:
    bundle = task_bundle(tmp_path, "exec sleep 300", launched_by("srun"), nodes=2)
    job = slurm.submit(bundle, "--nodelist=n[1-2]")
    until((tmp_path / "run/attempts/001/pids/rank-1").exists)
    slurm.on("n1", "pkill", "-KILL", "-f", f"^srun --nodes=2.*{tmp_path}/run")
    assert slurm.wait(job).code == 137


def test_a_bundle_that_was_edited_is_refused_with_its_code(slurm: Cluster, tmp_path: Path) -> None:
    bundle = task_bundle(tmp_path, "exit 0")
    (bundle / "config.py").write_text("")
    job = slurm.wait(slurm.submit(bundle))
    assert job.code == 65
    assert "edited: config.py" in (tmp_path / f"slurm-{tmp_path.name}-{job.id}.out").read_text()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("SBATCH_MEM_PER_NODE", "100", "the job has 100 MiB of memory on a node, the plan is for 500 MiB"),
        ("SBATCH_GPUS_PER_NODE", "1", "the job has 1 of a node's GPUs, the plan is for 2"),
    ],
)
def test_an_allocation_that_is_not_the_planned_one_is_refused(
    variable: str, value: str, sentence: str, slurm: Cluster, tmp_path: Path
) -> None:
    bundle = task_bundle(tmp_path, "exit 0", "hardware=a100-80gb", ranks=2)
    job = slurm.wait(slurm.submit(bundle, cwd=tmp_path, **{variable: value}))
    assert job.code == 78
    log = (tmp_path / f"slurm-{tmp_path.name}-{job.id}.out").read_text()
    assert f"{sentence}; set where it was submitted, and stronger than the script: {variable}" in log


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_every_rank_sees_the_gpus_of_its_job_alone(launcher: str, slurm: Cluster, tmp_path: Path) -> None:
    """Two jobs share a node; a binding that a site or a user asks for would hide GPUs, or show those of the other."""
    script = 'echo "$CUDA_VISIBLE_DEVICES" >"$CFGC_RUN_DIR/saw-$RANK"\nsleep 3'
    jobs = {}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        options = ("hardware=a100-80gb", launched_by(launcher), "cluster.gres=gpu")
        bundle = task_bundle(tmp_path / name, script, *options)
        jobs[name] = slurm.submit(bundle, "--nodelist=n1", SBATCH_GPU_BIND="none")
    assert [slurm.wait(job).code for job in jobs.values()] == [0, 0]
    assert {(tmp_path / name / "run/saw-0").read_text() for name in jobs} == {"0\n", "1\n"}


def test_both_ranks_of_a_node_see_both_gpus(slurm: Cluster, tmp_path: Path) -> None:
    script = 'echo "$CUDA_VISIBLE_DEVICES" >"$CFGC_RUN_DIR/saw-$RANK"'
    bundle = task_bundle(tmp_path, script, "hardware=a100-80gb", launched_by("srun"), nodes=2, ranks=2)
    assert slurm.wait(slurm.submit(bundle, SBATCH_GPUS_PER_TASK="1")).code == 0
    assert [(tmp_path / f"run/saw-{rank}").read_text() for rank in range(4)] == ["0,1\n"] * 4


MEET = """
import os, socket, sys, time
port, name, run = int(os.environ["MASTER_PORT"]), os.environ["SLURM_JOB_ID"], os.environ["CFGC_RUN_DIR"]
if os.environ["RANK"] == "0":
    here = socket.create_server(("", port))
    here.accept()[0].sendall(name.encode())
else:
    while True:
        try:
            there = socket.create_connection((os.environ["MASTER_ADDR"], port))
            break
        except OSError:
            time.sleep(0.05)
    assert there.recv(99).decode() == name
open(f"{run}/met-{os.environ['RANK']}", "w").close()
other = f"{run}/../../{'two' if '/one/' in run else 'one'}/run/met-0"
while not os.path.exists(other):
    time.sleep(0.05)
"""


def test_two_jobs_on_one_node_do_not_meet(slurm: Cluster, tmp_path: Path) -> None:
    """Both listen at the same time; and the port that the first job would take is somebody else's."""
    (tmp_path / "first").mkdir()
    last = int(slurm.wait(slurm.submit(task_bundle(tmp_path / "first", "exit 0", launched_by("srun")))).id)
    listen = f"import socket, time; s = socket.create_server(('', {10000 + (last + 1) % 20000})); time.sleep(60)"
    service = subprocess.Popen([slurm.inside("n1"), "-n", "n1", sys.executable, "-c", listen])
    try:
        jobs = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            script = f"#!{sys.executable}\n{MEET}"
            bundle = task_bundle(tmp_path / name, script, launched_by("srun"), ranks=2)
            jobs.append(slurm.submit(bundle, "--nodelist=n1"))
        assert jobs[0] == str(last + 1)
        assert [slurm.wait(job).code for job in jobs] == [0, 0]
    finally:
        service.kill()
        service.wait()


def test_a_script_is_found_through_a_link_with_blanks_and_arguments(slurm: Cluster, tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "some where").mkdir()
    task_bundle(tmp_path / "a b", 'pwd >"$CFGC_RUN_DIR/place"', launched_by("srun"), "experiment.name=linked")
    (tmp_path / "some where" / "my job").symlink_to(tmp_path / "a b/bundle/job.sbatch")
    done = slurm.run("sbatch", "--parsable", "some where/my job", "and", "words", cwd=tmp_path)
    assert slurm.wait(done.stdout.strip()).code == 0
    assert (tmp_path / "a b/run/place").read_text() == f"{tmp_path}\n"


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_request_to_save_reaches_every_rank(launcher: str, slurm: Cluster, tmp_path: Path) -> None:
    script = 'trap "exit 75" USR2\ntouch "$CFGC_RUN_DIR/up-$RANK"\nwhile :; do sleep 0.1; done'
    options = (launched_by(launcher), "cluster.requeue=false", "launch.max_attempts=1")
    bundle = task_bundle(tmp_path, script, *options, nodes=2, ranks=2)
    job = slurm.submit(bundle)
    until(lambda: len(list((tmp_path / "run").glob("up-*"))) == 4)
    slurm.cancel("--batch", "--signal=USR2", job)
    assert slurm.wait(job).code == 75
    codes = [(tmp_path / f"run/attempts/001/exits/rank-{rank}").read_text() for rank in range(4)]
    assert all('"code": 75' in code for code in codes)


def test_a_rank_that_hangs_is_named_under_srun_too(slurm: Cluster, tmp_path: Path) -> None:
    write_corpus(tmp_path / "text")
    endless = (
        "training.max_steps=100000",
        "evaluation.every_steps=0",
        "checkpoint.every_steps=0",
        "launch.watchdog=20s",
    )
    bundle = training_bundle(tmp_path, launched_by("srun"), *endless, nodes=2, ranks=1)
    job = slurm.submit(bundle, "--nodelist=n[1-2]", PYTHONPATH=RANKS_PATH)
    run = Run(bundle, tmp_path)
    until(lambda: (run.directory / "metrics.jsonl").exists() and max(run.steps(), default=0) >= 2)
    slurm.on("n2", "kill", "-STOP", str(run.pids()[1]))
    assert slurm.wait(job).code == 77
    log = (tmp_path / f"slurm-tiny-{job}.out").read_text()
    assert "rank 1 stands still" in log
    assert "its process is stopped by a signal" in log


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_ranks_of_a_node_are_bound_to_cpus_of_their_own(launcher: str, slurm: Cluster, tmp_path: Path) -> None:
    script = f'echo "$(hostname) $(taskset -cp $$ | sed "s/.*: //") $TORCH_EXTENSIONS_DIR" >"{tmp_path}/rank-$RANK"'
    bundle = task_bundle(tmp_path, script, launched_by(launcher), "launch.cpu_binding=cores", nodes=2, ranks=2)
    assert slurm.wait(slurm.submit(bundle)).code == 0, rank_logs(tmp_path / "run")
    ranks = [(tmp_path / f"rank-{rank}").read_text().split() for rank in range(4)]
    for first, second in (ranks[:2], ranks[2:]):
        assert first[1] != second[1]  # CPUs
        assert (first[0], first[2]) == (second[0], second[2])  # host, and where the node keeps what it built
    assert ranks[0][2] != ranks[2][2]
