"""The points of a sweep in PLAN.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cfgc.emit.cost_md import bytes_kept, gpu_hours, in_gpu_hours
from cfgc.emit.markdown import code, counted, disk, table
from cfgc.emit.slurm.array import parts
from cfgc.lower.plan import AnyPlan, Plan, Sweep

_SHOWN = 12
_SHOWN_VALUES = 8


def sweep_section(plan: AnyPlan) -> list[str]:
    """What the points are and how they are started; nothing for a single run."""
    sweep = plan.sweep
    if not sweep.points:
        return []
    about = (
        f"A sweep: {counted(len(sweep.points), 'point')}, made as {code(sweep.method)}. Every number on this page is "
        "that of point 0; what the others change is in points.jsonl, a line a point."
    )
    return ["## Points", "", about, *_cost(plan), "", *_starting(plan), "", *_varied(sweep), "", *_points(sweep)]


def _cost(plan: AnyPlan) -> list[str]:
    """What all points together take at most."""
    points = len(plan.sweep.points)
    hours, room = gpu_hours(plan), bytes_kept(plan) if isinstance(plan, Plan) else 0
    said = [f"{in_gpu_hours(points * hours)} when each takes an attempt of its whole time"] if hours else []
    said += [f"{disk(points * room)} of checkpoints when each keeps as much as point 0"] if room else []
    return ["", f"All of them: {'; '.join(said)}."] if said else []


def local_start(plan: AnyPlan) -> tuple[str, str]:
    """What starts it without Slurm: on how many machines, and the command."""
    nodes = plan.topology.nodes
    if nodes > 1:
        command = "`./launch.sh --hosts HOST1,HOST2" + (",…" if nodes > 2 else "") + "` on each of them"
        return f"start on {nodes} machines", "not a sweep of several nodes" if plan.sweep.points else command
    return "start on this machine", "`./launch.sh --points LIST`" if plan.sweep.points else "`./launch.sh`"


SLURM_START = "`./submit.sh`"
"""What starts it on Slurm; `sbatch job.sbatch` does too, but for log directories and machines to keep away from."""


def _starting(plan: AnyPlan) -> list[str]:
    arrays = parts(plan)
    limit = plan.sweep.max_parallel
    first = f"points 0 to {arrays[0].last:,}" if len(arrays) > 1 else "every point"
    at_once = f", {counted(limit, 'point')} at a time" + " in each" * (len(arrays) > 1) if limit else ""
    rows = [("all of them on Slurm", "`./submit.sh`", f"{counted(len(arrays), 'job array')}{at_once}")]
    rows.append(("the first array by hand", "`sbatch job.sbatch`", f"{first}, a task each"))
    rows.append(("some on Slurm", "`./submit.sh --points 0,4-6`", "each goes on from its own state"))
    if plan.topology.nodes == 1:
        note = "one after the other; `--points all` for every one"
        rows.append(("some on this machine", "`./launch.sh --points 0,4-6`", note))
    rows.append(("how they stand", "`cfgc sweep RUN_DIR`", "state, losses and the best point"))
    where = "Each has a run directory of its own, `points/NNNN` below that of the sweep."
    return [*table(("to start", "do", "note"), rows), "", where]


def _varied(sweep: Sweep) -> list[str]:
    """Each key and the values that it takes, in the order of first appearance."""
    values: dict[str, dict[str, int]] = {}
    for point in sweep.points:
        for key, value in point.settings:
            counts = values.setdefault(key, {})
            counts[value] = counts.get(value, 0) + 1
    rows = [(code(key), f"{len(counts):,}", _listed(list(counts))) for key, counts in values.items()]
    return table(("key", "values", ""), rows)


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(map(code, values[:_SHOWN_VALUES]))
    return shown + (", …" if len(values) > _SHOWN_VALUES else "")


def _points(sweep: Sweep) -> list[str]:
    keys = list(dict.fromkeys(key for point in sweep.points for key, _ in point.settings))
    rows = [(str(point.index), *_cells(dict(point.settings), keys)) for point in sweep.points[:_SHOWN]]
    lines = table(("point", *map(code, keys)), rows)
    more = len(sweep.points) - _SHOWN
    return [*lines, "", f"… and {more:,} more."] if more > 0 else lines


def _cells(settings: dict[str, str], keys: Sequence[str]) -> Iterator[str]:
    yield from (code(settings[key]) if key in settings else "" for key in keys)
