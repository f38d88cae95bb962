"""The plan of a sweep: its points, each with all that it changes of the first one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SweepPoint:
    """One line of points.jsonl: ``settings`` are (key, value as an override has it), ``line`` is the JSON text.

    The line holds every difference of the run's data from that of point 0; ``name`` is its run directory's.
    """

    index: int
    name: str
    settings: tuple[tuple[str, str], ...]
    plan_digest: str
    line: str


@dataclass(frozen=True)
class Sweep:
    """No points: a single run. ``max_parallel`` 0 is no limit; ``part_size`` is the most tasks of one job array."""

    method: str
    points: tuple[SweepPoint, ...]
    max_parallel: int
    part_size: int


SINGLE = Sweep("", (), 0, 0)
"""A spec that is one run."""
