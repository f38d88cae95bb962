"""One real run with every tracker, killed and started again."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import Run, clean_environment, new_run
from tests.runtime.offline_wandb import rows_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CANARY = "canary-51d0-not-for-anybody"
STEPS = list(range(1, 9))
SHOWN = {"MY_TOKEN": CANARY, "TEST_SHOW": "mlflow"}
TRACKERS = ("tracking.csv=true", "tracking.tensorboard=true", "tracking.mlflow=true", "tracking.wandb.mode=offline")


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Killed after step 6, two steps after a checkpoint, and then trained to its end."""
    run = new_run(
        tmp_path_factory.mktemp("tracked"),
        *("launch.gpus_per_node=1", "zero=0", "training.global_batch_size=4", "training.max_steps=8"),
        'env.required=["MY_TOKEN"]',
        *TRACKERS,
    )
    make_repository(run.cwd)
    # In step 7, a while after step 6: what dies between a tracker's answer and its note is sent twice.
    killed = run.to_end(**SHOWN, TEST_KILL="0:13", TEST_SLOW="0.3")
    assert killed.code == 137, (killed, run.logs())
    outcome = run.to_end(**SHOWN)
    assert outcome.code == 0, (outcome, run.logs())
    assert "W&B" not in outcome.out, outcome.out
    return run


def make_repository(directory: Path) -> None:
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "HOME": str(directory)}
    own |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "PATH": os.environ["PATH"]}
    for words in (["init", "-q"], ["add", "text"], ["commit", "-qm", "Text"]):
        subprocess.run(["git", *words], cwd=directory, env=own, check=True)
    with (directory / "text" / "part-0.txt").open("a") as file:
        file.write("One more sentence.\n")


@pytest.mark.covers("tracking.csv", "tracking.tensorboard", "tracking.mlflow.enabled", "tracking.log_every_steps")
def test_every_tracker_has_every_step_once(resumed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow.tracking import MlflowClient
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tracking = resumed.directory / "tracking"
    losses = [line["loss"] for line in resumed.metrics() if "loss" in line]
    assert resumed.steps() == STEPS
    with (tracking / "metrics.csv").open(newline="") as file:
        assert [float(row["loss"]) for row in csv.DictReader(file) if row["loss"]] == losses
    events = EventAccumulator(str(tracking / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [
        (step, pytest.approx(loss)) for step, loss in zip(STEPS, losses, strict=True)
    ]
    rows = [row for file in sorted(tracking.rglob("run-*.wandb")) for row in rows_of(file)]
    # What W&B's service held when the run was killed is sent again, as the same row.
    sent = {(row["_step"], row["step"], row["loss"]) for row in rows if "loss" in row}
    assert [(step, loss) for _, step, loss in sorted(sent)] == list(zip(STEPS, losses, strict=True))
    client = MlflowClient((tracking / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    [mlflow] = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(mlflow.info.run_id, "loss")
    assert [(one.step, one.value) for one in history] == list(zip(STEPS, losses, strict=True))
    assert mlflow.data.params["training.learning_rate"] == "0.01"
    assert mlflow.info.status == "FINISHED"


@pytest.mark.covers("experiment.name")
def test_the_run_says_where_it_ran(resumed: Run) -> None:
    content = json.loads((resumed.directory / "run.json").read_text())
    assert content["experiment"] == "tiny"
    assert [attempt["number"] for attempt in content["attempts"]] == [1, 2]
    for attempt in content["attempts"]:
        assert attempt["directory"] == str(resumed.cwd)
        assert len(attempt["git"]["commit"]) == 40
        assert attempt["git"]["dirty"] is True
        assert attempt["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
        assert {"torch", "deepspeed", "tensorboard", "wandb", "mlflow"} <= set(attempt["versions"])
        [host] = attempt["hosts"]
        assert (host["host"], host["ranks"], len(host["devices"])) == (attempt["host"], [0], 1)
    assert {path.name for path in resumed.directory.rglob("offline-run-*")} != set()
    assert all(content["id"] in path.name for path in resumed.directory.rglob("offline-run-*"))


def test_no_secret_of_the_environment_is_written(resumed: Run) -> None:
    files = [file for file in resumed.directory.rglob("*") if file.is_file()]
    assert len(files) > 50
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []


def test_what_people_read_of_it(resumed: Run) -> None:
    from cfgc.runs.facts import read_run

    facts = read_run(resumed.directory)
    assert (facts.state, facts.step, facts.max_steps, facts.attempts) == ("finished", 8, 8, 2)
    assert facts.best_eval_loss is not None
    summary = finish(resumed, "utf-8")
    assert "tiny finished after" in summary
    assert "held-out loss" in summary
    assert f"tracking    {resumed.directory / 'tracking'}" in summary
    assert any(0x2800 < ord(letter) < 0x2900 for letter in summary)
    plain = finish(resumed, "latin-1")
    assert "+----" in plain
    assert plain.isascii()


def test_a_missing_library_stops_the_start_and_leaves_nothing(resumed: Run) -> None:
    other = resumed.cwd / "other"
    command = [sys.executable, "-B", str(resumed.bundle / "runtime"), "stage", "--run-dir", str(other)]
    hidden = clean_environment(resumed.cwd) | SHOWN | {"TEST_HIDE": "tensorboard wandb"}
    done = subprocess.run(command, cwd=resumed.cwd, env=hidden, capture_output=True, text=True, check=False)
    assert done.returncode == 78, done
    for name in ("tensorboard", "wandb"):
        assert f"has no {name}, which tracking.{name} needs: {sys.executable} -m pip install {name}" in done.stderr
    assert not other.exists()


def finish(run: Run, encoding: str) -> str:
    command = [sys.executable, "-B", str(run.bundle / "runtime"), "finish", "--run-dir", str(run.directory)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run(command, capture_output=True, check=True, env=environment).stdout.decode(encoding)
