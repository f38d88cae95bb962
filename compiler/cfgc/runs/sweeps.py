"""The points of a sweep, and how each stands in a run directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from cfgc.load.keys import parse_key
from cfgc.runs.facts import Facts, is_run, read_run
from cfgc.runs.jobs import submissions
from cfgc.runs.standing import with_jobs
from cfgc.sweep.settings import toml_of
from cfgc_runtime.point import FOLDER, LIST, Point, patched, read_points
from cfgc_runtime.values import KINDS, Values, read_values


@dataclass(frozen=True)
class PointRun:
    """A point: its number, the settings as overrides, and its facts, which say ``new`` where nothing was started.

    ``values`` is what the settings that are expressions came to, by their keys as the overrides write them.
    """

    index: int
    overrides: tuple[str, ...]
    facts: Facts
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        """What it sets, by key, to be read: expressions as what they came to."""
        said = {key: text for key, _, text in (override.partition("=") for override in self.overrides)}
        return said | {key: toml_of(value) for key, value in self.values.items()}


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
    if bundle is None:
        return []
    base = cache(lambda: read_values(bundle))
    return [_run_of(point, directory, evaluated(point, base)) for point in read_points(bundle)]


def evaluated(point: Point, base: Callable[[], Values]) -> dict[str, Any]:
    """What the settings of ``point`` came to that are expressions; ``base`` reads the values of the first point."""
    keys = [key for key, _, text in (override.partition("=") for override in point.overrides) if "${" in text]
    if not keys:
        return {}
    values = patched(base(), point.values)
    known = {key: value for kind in KINDS for key, value in values.get(kind, {}).items()}
    named = {key: ".".join(parse_key(key) or ()) for key in keys}
    return {key: known[name] for key, name in named.items() if name in known}


def best_first(points: Sequence[PointRun]) -> list[PointRun]:
    """Those with the lowest held-out loss first, then those with the lowest loss, then the others by number."""
    return sorted(points, key=_rank)


def numbers_of(points: Sequence[PointRun], *states: str) -> Iterator[int]:
    """The numbers of the points in one of ``states``."""
    return (point.index for point in points if point.facts.state in states)


def _run_of(point: Point, directory: Path, values: Mapping[str, Any]) -> PointRun:
    place = directory / FOLDER / point.name
    facts = read_run(place) if is_run(place) else Facts(place, point.name, "new")
    return PointRun(point.index, point.overrides, facts, values)


def asked_slurm(points: Sequence[PointRun]) -> tuple[list[PointRun], str]:
    """``points`` as Slurm knows them too, and why it was of no help, if it was not."""
    known, problem = with_jobs([point.facts for point in points])
    return [replace(point, facts=facts) for point, facts in zip(points, known, strict=True)], problem


def _rank(point: PointRun) -> tuple[int, float, int]:
    held_out, loss = point.facts.best_eval_loss, point.facts.loss
    if held_out is not None:
        return 0, held_out, point.index
    return (1, loss, point.index) if loss is not None else (2, 0.0, point.index)
