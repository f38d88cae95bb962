"""The trackers that a plan names, and what they are told of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import Failure
from cfgc_runtime.identity import read_identity
from cfgc_runtime.point import point_of
from cfgc_runtime.trackers.background import Background
from cfgc_runtime.trackers.tracker import Subject
from cfgc_runtime.values import KINDS, read_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cfgc_runtime.config import Config, Tracking
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.trackers.tracker import Tracker


def libraries_of(tracking: Tracking) -> list[str]:
    """Modules that the plan's trackers need."""
    wanted = {
        "tensorboard": tracking.tensorboard,
        "wandb": tracking.wandb.enabled,
        "mlflow": tracking.mlflow.enabled,
    }
    return [name for name, on in wanted.items() if on]


def open_trackers(config: Config, run: RunDirectory, say: Callable[[str], None]) -> tuple[Background, ...]:
    """The trackers of the plan, each behind a thread that is not started yet; ``say`` shows a warning."""
    return tuple(Background(tracker, say) for tracker in _trackers(config, run))


def _trackers(config: Config, run: RunDirectory) -> Iterator[Tracker]:
    said = config.TRACKING
    subject = Subject(
        id=read_identity(run).id,
        name=_name_of(run),
        directory=run.tracking,
        metrics=run.metrics,
        spec=_spec_of(run),
        tags=config.EXPERIMENT.tags,
        description=config.EXPERIMENT.description,
    )
    if said.csv:
        from cfgc_runtime.trackers.table import Table

        yield Table(subject)
    if said.tensorboard:
        from cfgc_runtime.trackers.tensorboard import TensorBoard

        yield TensorBoard(subject)
    if said.wandb.enabled:
        from cfgc_runtime.trackers.wandb import Wandb

        yield Wandb(said.wandb, subject)
    if said.mlflow.enabled:
        from cfgc_runtime.trackers.mlflow import Mlflow

        yield Mlflow(said.mlflow, subject)


def _name_of(run: RunDirectory) -> str:
    """What people call it: the run directory's name, and that of the whole sweep before a point's number."""
    return f"{run.root.parents[1].name}-{run.root.name}" if point_of(run.bundle) else run.root.name


def _spec_of(run: RunDirectory) -> dict[str, Any]:
    """Every value of the spec by its dotted key, without what is set in the environment."""
    try:
        values = read_values(run.bundle)
    except Failure:
        return {}
    merged = {key: value for kind in KINDS for key, value in values[kind].items()}
    return {key: merged[key] for key in sorted(merged) if not key.startswith("env.")}
