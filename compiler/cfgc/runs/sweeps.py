"""The points of a sweep, and how each stands in a run directory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cfgc.runs.facts import Facts, is_run, read_run
from cfgc.runs.jobs import submissions
from cfgc.runs.standing import with_jobs
from cfgc_runtime.point import FOLDER, LIST, Point, read_points


@dataclass(frozen=True)
class PointRun:
    """A point: its number, the settings as overrides, and its facts, which say ``new`` where nothing was started."""

    index: int
    overrides: tuple[str, ...]
    facts: Facts


NO_RUN = Facts(Path(), "", "new")
"""Of a point of a spec, which has no run directory."""


def sweep_bundle(directory: Path) -> Path | None:
    """The bundle with the points that ``directory`` is, or keeps as a run directory does; None for anything else.

    A run directory that no job has begun to fill has the bundle that was submitted.
    """
    submitted = (Path(one.bundle) for one in reversed(submissions(directory)) if one.bundle)
    found = (place for place in (directory, directory / "bundle", *submitted) if (place / LIST).is_file())
    return next(found, None)


def read_sweep_runs(directory: Path) -> list[PointRun]:
    """Every point of the bundle or run directory, in order. Raises ``Failure`` where the list is damaged."""
    bundle = sweep_bundle(directory)
    return [] if bundle is None else [_run_of(point, directory) for point in read_points(bundle)]


def best_first(points: Sequence[PointRun]) -> list[PointRun]:
    """Those with the lowest held-out loss first, then those with the lowest loss, then the others by number."""
    return sorted(points, key=_rank)


def numbers_of(points: Sequence[PointRun], *states: str) -> Iterator[int]:
    """The numbers of the points in one of ``states``."""
    return (point.index for point in points if point.facts.state in states)


def _run_of(point: Point, directory: Path) -> PointRun:
    place = directory / FOLDER / point.name
    facts = read_run(place) if is_run(place) else Facts(place, point.name, "new")
    return PointRun(point.index, point.overrides, facts)


def asked_slurm(points: Sequence[PointRun]) -> tuple[list[PointRun], str]:
    """``points`` as Slurm knows them too, and why it was of no help, if it was not."""
    known, problem = with_jobs([point.facts for point in points])
    return [replace(point, facts=facts) for point, facts in zip(points, known, strict=True)], problem


def _rank(point: PointRun) -> tuple[int, float, int]:
    held_out, loss = point.facts.best_eval_loss, point.facts.loss
    if held_out is not None:
        return 0, held_out, point.index
    return (1, loss, point.index) if loss is not None else (2, 0.0, point.index)
