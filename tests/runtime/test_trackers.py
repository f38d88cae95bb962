"""The trackers with their real libraries, read back by those; and trackers that do not work."""

from __future__ import annotations

import csv
import json
import math
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime.errors import PREEMPTED
from cfgc_runtime.metrics import append_metrics, truncate_metrics
from cfgc_runtime.trackers.background import Background
from cfgc_runtime.trackers.mlflow import Mlflow
from cfgc_runtime.trackers.sent import Sent
from cfgc_runtime.trackers.table import Table
from cfgc_runtime.trackers.tensorboard import TensorBoard
from cfgc_runtime.trackers.tracker import Subject, Tracker, numbers_of
from cfgc_runtime.trackers.wandb import Wandb
from tests.runtime.offline_wandb import records_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CANARY = "canary-7d1f-not-for-anybody"
STEPS = range(1, 10)


def lines(steps: range) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield {"step": step, "loss": 1 / step, "lr": 0.1, "grad_norm": None, "samples": [1], "time": 1000.0 + step}
        if step % 2 == 0:
            yield {"step": step, "eval_loss": 2 / step, "time": 1000.5 + step}


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two attempts: one reports steps 3 to 6, since one before it was killed with its report of 1 and 2 on the way.

    It is preempted, and the second one goes on from step 4. What MLflow had last was not noted, as after a kill.
    """
    directory = tmp_path_factory.mktemp("reported")
    metrics = directory / "metrics.jsonl"
    spec = {"training.learning_rate": 0.1, "data.sources": [{"name": "text"}], "training.max_steps": 9}
    subject = Subject("abc123def456", "my-run", directory / "tracking", metrics, spec, ("tiny",), "What it is for.")
    wandb: Any = SimpleNamespace(enabled=True, mode="offline", project="p", entity="team", group="g", name="named")
    server = (directory / "tracking" / "elsewhere").as_uri()
    mlflow: Any = SimpleNamespace(enabled=True, uri=server, experiment="tiny", name="other")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MY_TOKEN", CANARY)
        for line in lines(range(1, 3)):
            append_metrics(metrics, line)
        for start, end, code in ((2, 6, PREEMPTED), (4, 9, 0)):
            truncate_metrics(metrics, start)
            trackers: list[Tracker] = [Table(subject), TensorBoard(subject)]
            trackers += [Wandb(wandb, subject), Mlflow(mlflow, subject)]
            threads = [Background(tracker, said.append) for tracker in trackers]
            report(threads, metrics, start, lines(range(start + 1, end + 1)), code)
            note = directory / "tracking" / "mlflow.sent.json"
            note.write_text(json.dumps(json.loads(note.read_text()) | {"step": end - 1}))
    assert said == []
    return directory / "tracking"


def report(threads: list[Background], metrics: Path, start: int, new: Iterator[Mapping[str, Any]], code: int) -> None:
    for thread in threads:
        thread.start(start)
    for line in new:
        append_metrics(metrics, line)
        for thread in threads:
            thread.send(line)
    for thread in threads:
        thread.finish(code)
    for thread in threads:
        thread.wait(60)


@pytest.mark.covers("tracking.csv")
def test_a_table_for_a_spreadsheet(reported: Path) -> None:
    with (reported / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows if row["loss"]] == list(STEPS)
    assert [(int(row["step"]), float(row["eval_loss"])) for row in rows if row["eval_loss"]] == [
        (step, 2 / step) for step in STEPS if step % 2 == 0
    ]
    assert "samples" not in rows[0]


@pytest.mark.covers("tracking.tensorboard")
def test_tensorboard_shows_every_step_once(reported: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(reported / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [
        (step, pytest.approx(1 / step)) for step in STEPS
    ]
    assert [event.step for event in events.Scalars("eval_loss")] == [2, 4, 6, 8]
    assert events.Scalars("loss")[0].wall_time == 1001.0
    [start] = [
        content for tag, content in events.PluginTagToContent("hparams").items() if tag.endswith("session_start_info")
    ]
    assert b"training.learning_rate" in start


@pytest.mark.covers(
    "tracking.wandb.enabled",
    "tracking.wandb.mode",
    "tracking.wandb.project",
    "tracking.wandb.entity",
    "tracking.wandb.group",
    "tracking.wandb.name",
    "experiment.tags",
    "experiment.description",
)
def test_wandb_offline_continues_one_run(reported: Path) -> None:
    files = sorted(reported.rglob("run-*.wandb"))
    assert [file.name for file in files] == ["run-abc123def456.wandb"] * 2
    rows = [row for file in files for row in rows_of(file)]
    assert [row["step"] for row in rows if "loss" in row] == list(STEPS)
    assert [row["eval_loss"] for row in rows if "eval_loss" in row] == [1, 2 / 4, 2 / 6, 2 / 8]
    assert [row["_step"] for row in rows] == list(range(len(rows)))
    first = next(record for record in records_of(files[0]) if record.WhichOneof("record_type") == "run").run
    assert (first.project, first.entity, first.run_group, first.display_name) == ("p", "team", "g", "named")
    assert (first.notes, list(first.tags)) == ("What it is for.", ["tiny"])
    config = {item.key or "/".join(item.nested_key): item.value_json for item in first.config.update}
    assert config["training.learning_rate"] == "0.1"
    assert any(record.WhichOneof("record_type") == "preempting" for record in records_of(files[0]))


@pytest.mark.covers("tracking.mlflow.uri", "tracking.mlflow.experiment", "tracking.mlflow.name")
def test_mlflow_continues_one_run(reported: Path) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient((reported / "elsewhere").as_uri())
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    [run] = client.search_runs([experiment.experiment_id])
    assert [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, "loss")] == [
        (step, 1 / step) for step in STEPS
    ]
    assert run.data.params["training.max_steps"] == "9"
    assert (run.info.run_name, run.info.status) == ("other", "FINISHED")
    assert run.data.tags["mlflow.note.content"] == "What it is for."


def test_no_tracker_writes_the_environment(reported: Path) -> None:
    files = [file for file in reported.rglob("*") if file.is_file()]
    assert len(files) > 10
    assert not [file for file in files if CANARY.encode() in file.read_bytes()]


class Broken:
    """Works after ``failures`` calls that raised; ``stuck`` never answers."""

    title = "the tracker"

    def __init__(self, failures: int = 0, stuck: bool = False) -> None:
        self.failures, self.stuck, self.logged, self.code = failures, stuck, list[int](), -1
        self.tried = threading.Event()

    def _work(self) -> None:
        self.tried.set()
        if self.stuck:
            threading.Event().wait()
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no route\nto the host")

    def open(self, step: int) -> None:
        self._work()

    def log(self, line: Mapping[str, Any]) -> None:
        self._work()
        self.logged.append(line["step"])

    def close(self, code: int) -> None:
        self.code = code


def used(tracker: Broken, patience_s: float) -> list[str]:
    said: list[str] = []
    thread = Background(tracker, said.append)
    thread.start(0)
    for line in lines(range(1, 4)):
        thread.send(line)
    assert tracker.tried.wait(60)
    time.sleep(0.05)
    thread.finish(3)
    thread.wait(patience_s)
    return said


def test_an_outage_is_said_once_and_survived() -> None:
    tracker = Broken(failures=1)
    said = used(tracker, 60)
    assert said == ["the tracker: ConnectionError: no route; training goes on, and metrics.jsonl has every line"]
    assert (tracker.logged, tracker.code) == ([1, 2, 2, 3], 3)


def test_an_outage_to_the_end_costs_the_report_only() -> None:
    said = used(Broken(failures=1000), 60)
    assert said[1:] == ["the tracker lacks the newest lines (4); metrics.jsonl has them all"]


def test_a_tracker_that_never_answers_does_not_hold_up_the_end() -> None:
    assert used(Broken(stuck=True), 0.05) == ["the tracker lacks the newest lines (4); metrics.jsonl has them all"]


def test_what_was_sent_is_known_after_a_crash(tmp_path: Path) -> None:
    first = Sent(tmp_path / "sent.json")
    first.add({"step": 1, "loss": 1.0, "time": 0.0})
    first.add({"step": 2, "loss": 1.0, "time": 0.0})
    again = Sent(tmp_path / "sent.json")
    again.load()
    assert again.new_of({"step": 1, "loss": 1.0}) == {}
    assert again.new_of({"step": 2, "loss": 1.0, "time": 9.0}) == {"step": 2, "time": 9.0}
    assert again.new_of({"step": 2, "eval_loss": 1.0}) == {"step": 2, "eval_loss": 1.0}
    assert again.lines == 2
    (tmp_path / "sent.json").write_text('{"step": 2')
    again.load()
    assert again.new_of({"step": 1, "loss": 1.0}) == {"step": 1, "loss": 1.0}


def test_what_is_no_number_is_no_metric() -> None:
    line = {"step": 1, "time": 2.0, "loss": math.nan, "mfu": math.inf, "lr": 0.1, "good": True, "samples": [1]}
    assert numbers_of(line) == {"lr": 0.1}


def test_a_new_metric_widens_the_table(tmp_path: Path) -> None:
    table = Table(Subject("abc", "run", tmp_path, tmp_path / "none.jsonl", {}))
    table.open(0)
    table.log({"step": 1, "loss": 2.0, "time": 1.0})
    table.log({"step": 2, "loss": 1.5, "accuracy": 0.5, "time": 2.0})
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [(row["loss"], row["accuracy"]) for row in rows] == [("2.0", ""), ("1.5", "0.5")]
    assert json.loads(f"[{rows[1]['time']}]") == [2.0]
