"""MLflow: a tracking server, or files below the run directory."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import FINISHED, PREEMPTED
from cfgc_runtime.trackers.sent import Sent
from cfgc_runtime.trackers.tracker import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cfgc_runtime import config
    from cfgc_runtime.trackers.tracker import Subject

_TAG = "cfgc.run"
_VARIABLES = {
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""MLflow's own settings, unless the user has set them; what fails is tried again by the thread around it."""

_PARAMETERS_AT_ONCE, _LONGEST = 100, 500
_ODD = re.compile(r"[^\w\-. /]")


class Mlflow:
    """Every attempt continues the same run, which a tag with the run's id finds."""

    title = "MLflow"

    def __init__(self, settings: config.Mlflow, subject: Subject) -> None:
        self._settings, self._subject = settings, subject
        self._sent = Sent(subject.directory / "mlflow.sent.json")
        self._client: Any = None
        self._run = ""

    def open(self, step: int) -> None:
        """Find or create the run. MLflow reads who signs in from its own variables."""
        for name, value in _VARIABLES.items():
            os.environ.setdefault(name, value)
        from mlflow.tracking import MlflowClient

        self._subject.directory.mkdir(parents=True, exist_ok=True)
        self._sent.load()
        self._client = MlflowClient(self._settings.uri or (self._subject.directory / "mlflow").absolute().as_uri())
        experiment = self._experiment()
        found = self._client.search_runs([experiment], f"tags.`{_TAG}` = '{self._subject.id}'", max_results=1)
        self._run = found[0].info.run_id if found else self._create(experiment)
        self._client.update_run(self._run, status="RUNNING")
        self._note_what_arrived()
        for line in self._subject.lines_until(step):
            self.log(line)

    def log(self, line: Mapping[str, Any]) -> None:
        """All metrics of the line in one call; those that an attempt before this one sent are left out."""
        from mlflow.entities import Metric

        values = numbers_of(self._sent.new_of(line))
        at = int(float(line.get("time", 0.0)) * 1000)
        if values:
            metrics = [Metric(_name(key), float(value), at, line["step"]) for key, value in values.items()]
            self._client.log_batch(self._run, metrics=metrics)
            self._sent.add(line)

    def close(self, code: int) -> None:
        """A preempted run goes on later, so it is not called finished."""
        status = {FINISHED: "FINISHED", PREEMPTED: "SCHEDULED"}.get(code, "FAILED")
        self._client.set_terminated(self._run, status=status)

    def _note_what_arrived(self) -> None:
        """A kill between sending a line and noting it would send it again: MLflow knows better than our note."""
        step = self._last_step("loss")
        if step > self._sent.step:
            names = self._client.get_run(self._run).data.metrics
            self._sent.note(step, {name for name in names if self._last_step(name) == step})

    def _last_step(self, name: str) -> int:
        return max((one.step for one in self._client.get_metric_history(self._run, name)), default=0)

    def _experiment(self) -> str:
        name = self._settings.experiment
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))

    def _create(self, experiment: str) -> str:
        from mlflow.entities import Param

        subject = self._subject
        tags = {_TAG: subject.id, **({"cfgc.tags": ", ".join(subject.tags)} if subject.tags else {})}
        if subject.description:
            tags["mlflow.note.content"] = subject.description
        run = self._client.create_run(experiment, tags=tags, run_name=self._settings.name or subject.name)
        identifier = str(run.info.run_id)
        parameters = [Param(_name(key), str(value)[:_LONGEST]) for key, value in subject.spec.items()]
        for some in _batches(parameters):
            self._client.log_batch(identifier, params=some)
        return identifier


def _batches(parameters: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(parameters), _PARAMETERS_AT_ONCE):
        yield parameters[start : start + _PARAMETERS_AT_ONCE]


def _name(key: str) -> str:
    """A name that MLflow takes."""
    return _ODD.sub("_", key)
