"""The job array of a sweep: a task a point, in parts where one array cannot hold them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cfgc.emit.shell import Sh
from cfgc.lower.plan import AnyPlan


@dataclass(frozen=True)
class Part:
    """One job array: its tasks are the points from ``offset`` on, ``last`` is the greatest index."""

    offset: int
    last: int
    max_parallel: int

    @property
    def option(self) -> str:
        """The value of ``--array``."""
        return f"0-{self.last}" + (f"%{self.max_parallel}" if self.max_parallel else "")


def parts(plan: AnyPlan) -> tuple[Part, ...]:
    """The arrays that hold all points; none for a single run. job.sbatch is the first one's."""
    sweep = plan.sweep
    count = len(sweep.points)
    return tuple(
        Part(offset, min(sweep.part_size, count - offset) - 1, sweep.max_parallel)
        for offset in range(0, count, sweep.part_size or 1)
    )


def directives(plan: AnyPlan) -> Iterator[tuple[str, str]]:
    """The options of job.sbatch, those of its array among them; each task has a log of its own."""
    arrays = parts(plan)
    for option, value in plan.slurm.directives:
        yield option, value.replace("%j", "%A_%a") if arrays and option in ("output", "error") else value
    if arrays:
        yield "array", arrays[0].option


def values(plan: AnyPlan) -> Mapping[str, object]:
    """What both scripts are given of the points: how many, and how many digits their directories have.

    ``job`` names this job to Slurm. The last task of an array has the array's own number, and a requeue of that would
    be one of all tasks.
    """
    points = plan.sweep.points
    return {
        "points": len(points),
        "point_digits": len(points[0].name) if points else 0,
        "point_option": Sh(' --point "$point"' if points else ""),
        "job": Sh('"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"' if points else '"$SLURM_JOB_ID"'),
    }
