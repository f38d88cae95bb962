"""PLAN.md: to whom the run reports, besides metrics.jsonl."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.emit.markdown import code
from cfgc.lower.plan import Tracking

_HERE = "below the run directory"


def report_rows(tracking: Tracking) -> Iterator[tuple[str, str, str]]:
    """What, where, and use of each tracker."""
    if tracking.csv:
        yield "CSV", _HERE, f"written: {code('tracking/metrics.csv')}"
    if tracking.tensorboard:
        yield "TensorBoard", _HERE, f"written: {code('tracking/tensorboard')}"
    if tracking.wandb.enabled:
        said = tracking.wandb
        project = code("/".join(part for part in (said.entity, said.project) if part))
        online = f"sent over the network to {project}: metrics and the spec's values"
        files = f"written: {code('tracking/wandb')}, for {project}"
        yield "W&B", "its service" if said.mode == "online" else _HERE, online if said.mode == "online" else files
    if tracking.mlflow.enabled:
        uri, experiment = tracking.mlflow.uri, code(tracking.mlflow.experiment)
        files = f"written: {code('tracking/mlflow')}, experiment {experiment}"
        sent = f"sent to experiment {experiment}: metrics and the spec's values"
        yield "MLflow", code(uri) if uri else _HERE, sent if uri else files
