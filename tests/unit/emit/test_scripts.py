"""launch.sh and job.sbatch: valid shell, and what they do with a stand-in for Python."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cfgc.emit.bundle import emit_bundle
from cfgc.emit.canonical import plan_digest
from cfgc.emit.plan_md import plan_md
from cfgc.emit.scripts import launch_sh, needed_variables
from cfgc.emit.slurm.job import job_sbatch
from cfgc.lower.plan import HuggingFaceModel, NodePath, Plan
from cfgc.write.writer import write_bundle
from tests.unit.emit.samples import HOSTILE, cluster_plan, cpu_plan, hostile_plan

PLANS = {
    "cpu": cpu_plan(),
    "cluster": cluster_plan(),
    "hostile": hostile_plan(),
    "srun": replace(
        cluster_plan(),
        launch=replace(cluster_plan().launch, launcher="srun"),
        slurm=replace(cluster_plan().slurm, tasks_per_node=8, cpus_per_task=8, memory_mib=65_536),
    ),
    "one-variable": replace(cpu_plan(), launch=replace(cpu_plan().launch, required=("DATA_DIR",))),
    "no-requeue": replace(cluster_plan(), slurm=replace(cluster_plan().slurm, requeue=False, modules=())),
}
SCRIPTS = {
    f"{name}-{kind}": text
    for name, plan in PLANS.items()
    for kind, text in (("launch", launch_sh(plan)), ("job", job_sbatch(plan, plan_digest(plan))))
}
FAKE_PYTHON = """#!/bin/bash
{ printf '%s\\n' CALL "$@"; printf 'V%s=%s\\n' 1 "${V1-unset}" 4 "${V4-unset}"; } >>"$RECORD"
case " $* " in
  *" stage "*) while [[ $1 != --run-dir ]]; do shift; done && mkdir -p "$2" ;;
  *" outcome "*) echo "${@: -1}" ;;
  *" node "*)
    [[ -z ${SLOW-} ]] || exec "$REAL_PYTHON" -c "$SUPERVISOR"
    exit "${CODE-0}" ;;
esac
"""
SUPERVISOR = """
import os, signal, sys, time
def say(word):
    with open(os.environ["RECORD"], "a") as record:
        record.write(word + "\\n")
def save(*_):
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    say("saved")
    sys.exit(75)
say("started")
time.sleep(float(os.environ["SLOW"]))  # not listening yet
signal.signal(signal.SIGUSR2, save)
time.sleep(10)
"""


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text(SCRIPTS[name])
    subprocess.run(["bash", "-n", script], check=True)
    result = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_shellcheck_has_nothing_to_say_of_bundles_that_are_kept(repository: Path) -> None:
    names = {"launch.sh", "submit.sh", "job.sbatch"}
    kept = [*repository.glob("tests/golden/*/expected/**/*"), *repository.glob("out/**/*")]
    scripts = sorted(path for path in kept if path.name in names)
    assert {path.name for path in scripts} == names
    result = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_that_prints_secrets_or_asks_the_clock(name: str) -> None:
    assert not re.search(r"set -x|xtrace|printenv|(?<!/usr/bin/)\benv\b|\bdate\b|\$RANDOM", SCRIPTS[name])


class Launcher:
    """launch.sh of a plan, with a stand-in for Python that records its arguments."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.bundle = directory / "it's a bundle"
        write_bundle(emit_bundle(plan), self.bundle)
        self.python = directory / "my python"
        self.python.write_text(FAKE_PYTHON)
        self.python.chmod(0o755)
        self.record = directory / "record"
        self.cwd = directory / "start here"
        self.cwd.mkdir()

    def start(self, *arguments: str, script: str = "launch.sh", **variables: str) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHON": str(self.python), "RECORD": str(self.record), **variables}
        environment |= {"REAL_PYTHON": sys.executable, "SUPERVISOR": SUPERVISOR}
        # A shell cannot trap what was ignored when it began, as SIGINT is for what a shell starts in the background.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            ["bash", self.bundle / script, *arguments],
            cwd=self.cwd,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        process = self.start(*arguments, **variables)
        output, errors = process.communicate(timeout=30)
        return process.returncode, output + errors

    def calls(self) -> list[list[str]]:
        return [call.splitlines() for call in self.record.read_text().split("CALL\n")[1:]]


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    return Launcher(cpu_plan(), tmp_path)


def test_launch_stages_supervises_torchrun_and_finishes(launcher: Launcher) -> None:
    assert launcher.run() == (0, "")
    stage, node, finish = (call[:-2] for call in launcher.calls())
    run_dir = str(launcher.cwd / "runs/quickstart")
    assert stage == [
        "-B",
        f"{launcher.bundle}/runtime",
        "stage",
        "--bundle",
        str(launcher.bundle),
        "--run-dir",
        run_dir,
    ]
    runtime = f"{run_dir}/bundle/runtime"
    assert node[: node.index("--")] == ["-B", runtime, "node", "--run-dir", run_dir, "--node-rank", "0"]
    torchrun = node[node.index("--") + 1 :]
    assert torchrun[:4] == [str(launcher.python), "-B", "-m", "torch.distributed.run"]
    assert torchrun[-2:] == [runtime, "rank"]
    assert set(torchrun[4:-2]) == {
        "--nnodes=1", "--nproc-per-node=2", "--standalone", "--max-restarts=0", "--shutdown-timeout=300",
    }  # fmt: skip
    assert finish == ["-B", runtime, "finish", "--run-dir", run_dir]


@pytest.mark.parametrize("arguments", [("--run-dir", "else where"), ("--run-dir=else where",)])
def test_the_run_directory_can_be_given(launcher: Launcher, arguments: tuple[str, ...]) -> None:
    assert launcher.run(*arguments)[0] == 0
    assert launcher.calls()[0][:-2][-1] == str(launcher.cwd / "else where")


@pytest.mark.parametrize("code", [1, 3, 75, 78, 137])
def test_launch_ends_with_the_code_of_the_run(launcher: Launcher, code: int) -> None:
    assert launcher.run(CODE=str(code))[0] == code
    assert len(launcher.calls()) == 2, "no summary of a run that did not finish"


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("deaf", ["0", "1.5"])
def test_a_signal_is_passed_on_and_the_real_code_comes_back(
    launcher: Launcher, number: signal.Signals, deaf: str
) -> None:
    """Also when the supervisor is still starting, and does not handle signals yet."""
    process = launcher.start(SLOW=deaf)
    deadline = time.monotonic() + 20
    while not launcher.record.exists() or "started" not in launcher.record.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 75
    assert "saved" in launcher.record.read_text()


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


def test_launch_works_through_a_link_and_cdpath(launcher: Launcher, tmp_path: Path) -> None:
    link = tmp_path / "link.sh"
    link.symlink_to(launcher.bundle / "launch.sh")
    environment = {"PATH": os.environ["PATH"], "PYTHON": str(launcher.python), "RECORD": str(launcher.record)}
    subprocess.run([link], cwd=launcher.cwd, env={**environment, "CDPATH": "/"}, check=True)
    assert f"{launcher.bundle}/runtime" in launcher.calls()[0]


@pytest.mark.parametrize("arguments", [("--nonsense",), ("--run-dir",), ("extra",)])
def test_usage_errors_end_with_64(launcher: Launcher, arguments: tuple[str, ...]) -> None:
    code, output = launcher.run(*arguments)
    assert (code, output.startswith("launch.sh: ")) == (64, True)
    assert not launcher.record.exists()


def test_help_says_how_and_starts_nothing(launcher: Launcher) -> None:
    code, output = launcher.run("--help")
    assert (code, output.splitlines()[0]) == (0, "usage: launch.sh [--run-dir DIR]")
    assert not launcher.record.exists()


def test_every_missing_variable_is_named_at_once(tmp_path: Path) -> None:
    plan = cpu_plan()
    launch = replace(plan.launch, run_dir=NodePath("env", "SCRATCH", "r"), required=("WANDB_API_KEY",))
    launcher = Launcher(replace(plan, launch=launch), tmp_path)
    code, output = launcher.run()
    assert (code, "SCRATCH WANDB_API_KEY" in output) == (64, True)
    assert launcher.run(SCRATCH=str(tmp_path / "s"), WANDB_API_KEY="x")[0] == 0
    assert launcher.calls()[0][:-2][-1] == str(tmp_path / "s" / "r")


def test_a_variable_that_the_spec_sets_is_asked_of_nobody(tmp_path: Path) -> None:
    plan = cpu_plan()
    environment = {**plan.launch.environment, "SCRATCH": str(tmp_path / "the spec's"), "DATA": "/data"}
    launch = replace(plan.launch, run_dir=NodePath("env", "SCRATCH", "r"), environment=environment)
    sources = (replace(plan.data.sources[0], path=NodePath("env", "DATA", "books")),)
    plan = replace(plan, launch=launch, data=replace(plan.data, sources=sources))
    launcher = Launcher(plan, tmp_path)
    assert launcher.run()[0] == 0
    assert launcher.calls()[0][:-2][-1] == str(tmp_path / "the spec's" / "r")
    assert needed_variables(plan) == ()
    assert plan_md(plan, "sha256:" + "0" * 64).count("| `DATA` |") == 1


def test_every_path_of_a_plan_asks_for_its_variable() -> None:
    plan = cpu_plan()
    tokenizer = replace(plan.data.tokenizer, path=NodePath("env", "TOKENIZERS", "bpe"))
    model = HuggingFaceModel("huggingface", NodePath("env", "MODELS", "gpt2"), "", True, "sdpa", False, 0, 0, 0)
    plan = replace(plan, model=model, data=replace(plan.data, tokenizer=tokenizer))
    assert needed_variables(plan) == ("MODELS", "TOKENIZERS")


def test_an_interpreter_that_is_not_there_is_named(launcher: Launcher) -> None:
    code, output = launcher.run(PYTHON="/no/such/python")
    assert (code, "there is no interpreter /no/such/python" in output) == (64, True)


def test_hostile_strings_reach_the_ranks_as_they_are(tmp_path: Path) -> None:
    launcher = Launcher(hostile_plan(), tmp_path)
    assert launcher.run("--run-dir", "r")[0] == 0
    assert launcher.calls()[1][-2:] == [f"V1={HOSTILE[1]}", f"V4={HOSTILE[4]}"]


def test_a_plan_of_several_nodes_points_to_slurm(tmp_path: Path) -> None:
    launcher = Launcher(cluster_plan(), tmp_path)
    code, output = launcher.run(SCRATCH="x", CORPUS="y", WANDB_API_KEY="z")
    assert (code, f"sbatch {launcher.bundle}/job.sbatch" in output) == (64, True)


def test_a_named_port_is_used() -> None:
    plan = cpu_plan()
    text = launch_sh(replace(plan, launch=replace(plan.launch, master_port=23456)))
    assert "--master-addr=127.0.0.1 --master-port=23456" in text
    assert "MASTER_PORT=23456\n" in job_sbatch(
        replace(plan, launch=replace(plan.launch, master_port=23456)), "sha256:0"
    )


def test_directives_come_before_any_command() -> None:
    lines = job_sbatch(cluster_plan(), "sha256:0").splitlines()
    first_command = next(i for i, line in enumerate(lines) if line and not line.startswith("#"))
    directives = [i for i, line in enumerate(lines) if line.startswith("#SBATCH")]
    assert len(directives) == len(cluster_plan().slurm.directives)
    assert max(directives) < first_command
    assert "#SBATCH --requeue" in lines


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
    script.write_text(job_sbatch(PLANS["srun"], "sha256:0").replace("module load", ": module load"))
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
