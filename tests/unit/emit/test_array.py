"""The job array of a sweep: every point is one task of one part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.emit.slurm.array import directives, parts
from cfgc.lower.plan_sweep import Sweep, SweepPoint
from tests.unit.sweep.specs import TASK, bundled, grid, planned

ARGS = grid('task.args = [["1"], ["2"], ["3"]]', TASK)
PLAN = planned(ARGS)


@settings(max_examples=50)
@given(st.integers(1, 3000), st.integers(1, 1500), st.integers(0, 9))
def test_parts_hold_each_point_once(count: int, size: int, limit: int) -> None:
    point = SweepPoint(0, "0000", (), "", "")
    plan = replace(PLAN, sweep=Sweep("grid", (point,) * count, limit, size))
    found = [part.offset + task for part in parts(plan) for task in range(part.last + 1)]
    assert found == list(range(count))
    assert all(part.last < size for part in parts(plan))
    assert {part.option.partition("%")[2] for part in parts(plan)} == {str(limit) if limit else ""}


def test_a_single_run_has_no_array() -> None:
    plan = planned(TASK)
    assert parts(plan) == ()
    assert tuple(directives(plan)) == plan.slurm.directives


@pytest.mark.covers("sweep.max_parallel", "cluster.max_array_size")
def test_job_sbatch_is_the_first_part() -> None:
    text = ARGS.replace('method = "grid"', 'method = "grid"\nmax_parallel = 2')
    files = bundled(text, "cluster.max_array_size=2").files
    job = files[PurePosixPath("job.sbatch")].decode()
    assert "#SBATCH --array=0-1%2\n" in job
    assert "%A_%a.out" in job
    assert "%j" not in job.partition("set -euo")[0]
    assert 'scontrol requeue "$SLURM_JOB_ID"' not in job
    plan = files[PurePosixPath("PLAN.md")].decode()
    assert "A sweep: 3 points, made as `grid`" in plan
    assert "2 job arrays, 2 points at a time in each" in plan
    assert '| `task.args` | 3 | `["1"]`, `["2"]`, `["3"]` |' in plan
    assert len(files[PurePosixPath("points.jsonl")].splitlines()) == 3


def test_plan_md_shows_the_first_points_only() -> None:
    numbers = ", ".join(f'["{number}"]' for number in range(30))
    plan = bundled(grid(f"task.args = [{numbers}]", TASK)).files[PurePosixPath("PLAN.md")].decode()
    assert "… and 18 more." in plan
    assert '| 11 | `["11"]` |' in plan
    assert '| 12 | `["12"]` |' not in plan
