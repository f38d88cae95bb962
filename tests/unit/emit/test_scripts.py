"""launch.sh and job.sbatch: valid shell, and what they do with a stand-in for Python."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cfgc.emit.canonical import plan_digest
from cfgc.emit.plan_md import plan_md
from cfgc.emit.scripts import launch_sh, needed_variables
from cfgc.emit.slurm.job import job_sbatch
from cfgc.lower.plan import HuggingFaceModel, NodePath
from tests.unit.emit.launching import Launcher, srun_plan
from tests.unit.emit.samples import HOSTILE, cluster_plan, cpu_plan, hostile_plan

PLANS = {
    "cpu": cpu_plan(),
    "cluster": cluster_plan(),
    "hostile": hostile_plan(),
    "srun": srun_plan(),
    "one-variable": replace(cpu_plan(), launch=replace(cpu_plan().launch, required=("DATA_DIR",))),
    "no-requeue": replace(cluster_plan(), slurm=replace(cluster_plan().slurm, requeue=False, modules=())),
}
SCRIPTS = {
    f"{name}-{kind}": text
    for name, plan in PLANS.items()
    for kind, text in (("launch", launch_sh(plan)), ("job", job_sbatch(plan, plan_digest(plan))))
}


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


@pytest.mark.parametrize("script", ["launch.sh", "submit.sh"])
def test_another_shell_says_that_it_needs_bash(script: str, tmp_path: Path) -> None:
    path = Launcher(cluster_plan(), tmp_path).bundle / script
    done = subprocess.run(["dash", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (64, f"{script}: it needs bash; run it with: bash {path}\n")


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_that_prints_secrets_or_asks_the_clock(name: str) -> None:
    assert not re.search(r"set -x|xtrace|printenv|(?<!/usr/bin/)\benv\b|\bdate\b|\$RANDOM", SCRIPTS[name])


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
