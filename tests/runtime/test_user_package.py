"""A separate package of a user's own trains through targets, and runs tasks, without a line of the runtime changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from tests.runtime.bundles import HERE, WAIT_S, Outcome, Run, free_port
from tests.runtime.test_resume import checkpoint_files

pytestmark = pytest.mark.slow

PROJECT = HERE.parent / "user_package"
LAST = "step-00000024"
SHORT = ("training.max_steps=24", "evaluation.every_steps=8", "checkpoint.every_steps=8")


def run_of(directory: Path, spec: str, *overrides: str) -> Run:
    """A fresh run of one of the package's specs."""
    directory.mkdir(parents=True, exist_ok=True)
    reader = DiskReader(PROJECT, shipped_dir("specs"))
    bundle = compile_spec(reader, f"specs/{spec}.toml", (f"launch.master_port={free_port()}", *overrides))
    write_bundle(bundle, directory / "bundle")
    return Run(directory / "bundle", directory)


def to_end(run: Run, **environment: str) -> Outcome:
    return run.to_end(PYTHONPATH=os.pathsep.join((str(HERE / "site"), str(PROJECT))), **environment)


@pytest.mark.covers(
    "model.kind", "model.target", "model.arguments", "data.target", "data.arguments", "training.loss.target",
    "training.loss.arguments", "training.optimizer.type", "training.optimizer.target", "training.optimizer.arguments",
    "evaluation.metrics", "evaluation.metrics.name", "evaluation.metrics.target", "evaluation.metrics.arguments",
)  # fmt: skip
def test_own_model_data_loss_optimizer_and_metric_train_and_resume_bit_for_bit(tmp_path: Path) -> None:
    whole = run_of(tmp_path / "whole", "cnn", *SHORT)
    outcome = to_end(whole)
    assert outcome.code == 0, (outcome, whole.logs())
    evaluations = [line for line in whole.metrics() if "eval_loss" in line]
    assert [line["step"] for line in evaluations] == [8, 16, 24]
    assert evaluations[-1]["eval_loss"] < evaluations[0]["eval_loss"]
    assert all(0 <= line["eval_accuracy"] <= 1 for line in evaluations)
    code = json.loads((whole.directory / "run.json").read_text())["attempts"][0]["code"]
    assert set(code) == {"shapes", "shapes.model", "shapes.data", "shapes.training"}

    run = run_of(tmp_path / "killed", "cnn", *SHORT)
    killed = to_end(run, TEST_KILL="1:39")  # the first of step 20's two micro steps; step 16 was saved
    assert killed.code == 137, (killed, run.logs())
    resumed = to_end(run)
    assert resumed.code == 0, (resumed, run.logs())
    assert "resumed from step 16" in resumed.out
    assert run.metrics() == whole.metrics()
    assert checkpoint_files(run, LAST) == checkpoint_files(whole, LAST)

    # Without ZeRO, and read by two workers: the same samples, and the same first step.
    few = ("training.max_steps=6", "evaluation.every_steps=0", "evaluation.at_end=false", "evaluation.metrics=[]")
    plain = run_of(tmp_path / "plain", "cnn", "zero=0", "data.num_workers=2", *few)
    outcome = to_end(plain)
    assert outcome.code == 0, (outcome, plain.logs())
    steps, others = ([line for line in one.metrics() if "loss" in line][:1] for one in (whole, plain))
    assert [line["samples"] for line in steps] == [line["samples"] for line in others]
    assert others[0]["loss"] == pytest.approx(steps[0]["loss"], abs=1e-5)


@pytest.mark.covers("task.target", "task.arguments")
def test_a_function_saves_and_leaves_when_asked_and_goes_on_in_the_next_attempt(tmp_path: Path) -> None:
    run = run_of(tmp_path, "task")
    saved = run.directory / "checkpoints"
    process = run.start(PYTHONPATH=str(PROJECT))
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and not all((saved / f"rank-{rank}" / "step-0002").exists() for rank in (0, 1)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR2)
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 75, run.logs()
    assert not (run.directory / "finished.json").exists()
    assert len(list((saved / "rank-1").iterdir())) < 20

    outcome = to_end(run)
    assert outcome.code == 0, (outcome, run.logs())
    for rank in (0, 1):
        attempts = [file.read_text() for file in sorted((saved / f"rank-{rank}").iterdir())]
        assert len(attempts) == 20
        assert set(attempts) == {"001", "002"}
        assert attempts == sorted(attempts)
    assert "already finished" in to_end(run).out


@pytest.mark.covers("task.script", "task.args", "task.env", "task.working_directory")
def test_a_script_of_the_bundle_runs_on_every_rank_and_its_exit_code_is_kept(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    run = run_of(tmp_path, "script", "task.working_directory=inside")
    failed = to_end(run, REPORT_EXIT="9")
    assert failed.code == 9, (failed, run.logs())
    assert "exit code 9" in failed.err
    outcome = to_end(run)
    assert outcome.code == 0, (outcome, run.logs())
    for rank in (0, 1):
        said = (run.directory / "checkpoints" / f"rank-{rank}.txt").read_text()
        assert said == f"rank {rank} of 2 in inside, attempt 002, seed 42, short, --greeting it's me\n"
    manifest = json.loads((run.bundle / "manifest.json").read_text())
    assert "script/report.sh" in manifest["outputs"]
    assert "ds_config.json" not in manifest["outputs"]
    assert manifest["inputs"][-1]["path"] == "scripts/report.sh"
    verify = [str(run.bundle / "runtime"), "verify"]
    checked = subprocess.run(["python", "-B", *verify], capture_output=True, text=True, check=True)
    assert "shapes-script" in checked.stdout
