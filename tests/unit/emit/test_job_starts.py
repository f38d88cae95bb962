"""job.sbatch: how it starts, what it says of what Slurm gave, and how it comes back; with stand-ins for Slurm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cfgc.emit.slurm.job import job_sbatch
from tests.unit.emit.launching import Launcher, srun_plan
from tests.unit.emit.samples import cpu_plan

STEP = f"""#!{sys.executable}
import itertools, os, signal, subprocess, sys

def pass_on(number, frame):  # as srun does, which hears also what was ignored when it began
    for step in steps:
        os.killpg(step.pid, number)

steps = []
signal.signal(signal.SIGUSR2, pass_on)
signal.signal(signal.SIGTERM, pass_on)
command = list(itertools.dropwhile(lambda word: word.startswith("-"), sys.argv[1:]))
steps.append(subprocess.Popen(command, start_new_session=True))
sys.exit(steps[0].wait())
"""
CONTROL = """#!/bin/bash
case $1 in
  requeue)
    [[ -z ${REFUSED-} ]] || { echo refused >>"$RECORD" && exit 1; }
    echo "requeued $2" >>"$RECORD" ;;
  show) [[ $2 != hostnames ]] || echo n1 ;;
esac
"""


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGTERM])
@pytest.mark.parametrize("deaf", ["0", "2.5"])
def test_a_job_that_is_asked_to_stop_while_it_starts_is_queued_again(
    tmp_path: Path, number: signal.Signals, deaf: str
) -> None:
    """Between the start of the step and its first line of Python nobody listens; the request must not be lost."""
    launcher = requeued(tmp_path)
    process = start_job(launcher, SLOW=deaf)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 75
    record = launcher.record.read_text()
    assert record.index("saved\n") < record.index("requeued 7\n")


def test_a_start_that_slurm_does_not_move_goes_on_and_still_saves(tmp_path: Path) -> None:
    launcher = requeued(tmp_path)
    run = launcher.cwd / "runs" / "quickstart"
    run.mkdir(parents=True)
    (run / "excluded_nodes").write_text("n1\n")
    (run / ".moved").write_text("--automatic\n")  # of a job that was cancelled before it began
    process = start_job(launcher, SLOW="0", REFUSED="yes")
    process.send_signal(signal.SIGUSR2)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 75
    assert launcher.record.read_text().count("saved\n") == 1
    assert "does not queue it again; it goes on here, on what failed it before\n" in said
    assert said.count("does not queue it again; submit it by hand") == 1, "once it has saved"
    assert not (run / ".moved").exists()


def requeued(directory: Path) -> Launcher:
    """A job that can come back, with stand-ins for what it calls of Slurm."""
    plan = replace(cpu_plan(), slurm=replace(cpu_plan().slurm, requeue=True))
    launcher = Launcher(replace(plan, launch=replace(plan.launch, max_attempts=3)), directory)
    for name, text in (("srun", STEP), ("scontrol", CONTROL), ("sinfo", "#!/bin/bash\nprintf '%s idle\\n' n1 n2\n")):
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    return launcher


def start_job(launcher: Launcher, **variables: str) -> subprocess.Popen[str]:
    """Its job script, once the supervisor has started."""
    slurm = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "1", "SLURM_JOB_NODELIST": "n1", "SLURM_NODEID": "0"}
    slurm |= {"SLURM_TASKS_PER_NODE": "1", "SLURM_JOB_CPUS_PER_NODE": "2", "SLURM_PROCID": "0"}
    slurm |= {"SLURMD_NODENAME": "n1", "SLURM_JOB_PARTITION": "main", "CFGC_BUNDLE": str(launcher.bundle)}
    slurm |= {"PATH": f"{launcher.bundle.parent}:{os.environ['PATH']}"}
    process = launcher.start(script="job.sbatch", **slurm, **variables)
    deadline = time.monotonic() + 20
    while not launcher.record.exists() or "started" not in launcher.record.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


GIVEN = {
    "SLURM_JOB_ID": "7",
    "SLURM_JOB_NODELIST": "n[1-2]",
    "SLURM_JOB_PARTITION": "main",
    "SLURM_JOB_NUM_NODES": "2",
    "SLURM_TASKS_PER_NODE": "8(x2)",
    "SLURM_JOB_CPUS_PER_NODE": "64(x2)",
    "SLURM_GPUS_ON_NODE": "8",
    "SLURM_MEM_PER_NODE": "65536",
}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"SLURM_JOB_NUM_NODES": "3"}, "the job has 3 nodes, the plan is for 2"),
        ({"SLURM_JOB_NUM_NODES": "1"}, "the job has 1 node, the plan is for 2"),
        ({"SLURM_TASKS_PER_NODE": "8,1"}, "the job has 1 task on a node, the plan is for 8"),
        ({"SLURM_TASKS_PER_NODE": "8,4"}, "the job has 4 tasks on a node, the plan is for 8"),
        ({"SLURM_JOB_CPUS_PER_NODE": "96,72(x3),12"}, "the job has 12 of a node's CPUs, the plan is for 64"),
        ({"SLURM_GPUS_ON_NODE": "4"}, "the job has 4 of a node's GPUs, the plan is for 8"),
        ({"SLURM_MEM_PER_NODE": "1000"}, "the job has 1000 MiB of memory on a node, the plan is for 65536 MiB"),
        ({"SLURM_MEM_PER_NODE": "", "SLURM_MEM_PER_CPU": "100"}, "the job has 6400 MiB of memory on a node"),
        ({"SBATCH_GPUS": "4", "SLURM_GPUS_ON_NODE": "2"}, "stronger than the script: SBATCH_GPUS"),
        ({}, "there is no bundle in"),  # all is as planned, so that it goes on
        ({"SLURM_MEM_PER_NODE": ""}, "there is no bundle in"),  # all of the node's memory
        ({"SLURM_JOB_CPUS_PER_NODE": "128"}, "there is no bundle in"),
    ],
)
def test_what_slurm_gave_is_compared_with_the_plan(given: dict[str, str], sentence: str, tmp_path: Path) -> None:
    script = tmp_path / "job.sbatch"
    script.write_text(job_sbatch(srun_plan(), "sha256:0").replace("module load", ": module load"))
    environment = {"PATH": os.environ["PATH"], "CFGC_BUNDLE": str(tmp_path / "nowhere"), **GIVEN, **given}
    environment |= {"SCRATCH": str(tmp_path), "CORPUS": "y", "WANDB_API_KEY": "z"}
    environment = {name: value for name, value in environment.items() if value}
    done = subprocess.run(["bash", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, sentence in done.stderr) == (65 if "bundle" in sentence else 78, True), done.stderr


@pytest.mark.parametrize(
    "given",
    [
        {"SLURM_MEM_PER_NODE": "50"},
        {"SLURM_MEM_PER_NODE": "50", "SBATCH_MEM_PER_NODE": "50"},
        {"SLURM_MEM_PER_CPU": "25", "SLURM_JOB_CPUS_PER_NODE": "2"},
        {"SLURM_MEM_PER_GPU": "25", "SLURM_GPUS_ON_NODE": "2"},
    ],
)
def test_part_of_a_nodes_memory_is_not_all_of_it(given: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "job.sbatch"
    script.write_text(job_sbatch(cpu_plan(), "sha256:0"))
    one = {"SLURM_JOB_NUM_NODES": "1", "SLURM_TASKS_PER_NODE": "1", "SLURM_JOB_CPUS_PER_NODE": "4"}
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "CFGC_BUNDLE": str(tmp_path), **GIVEN, **one}
    del environment["SLURM_MEM_PER_NODE"]
    for more, code in ((given, 78), ({}, 65)):
        done = subprocess.run(
            ["bash", script], env=environment | more, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert ("the job has 50 MiB of memory on a node, the plan is for all of it" in done.stderr) == (code == 78)
