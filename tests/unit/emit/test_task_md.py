"""PLAN.md of a task: what a reader is promised of its scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfgc.emit.task_md import task_md
from cfgc.load.disk import DiskReader
from cfgc.lower.plan import TaskPlan
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir

CASE = Path(__file__).resolve().parents[2] / "golden" / "task-script"


@pytest.mark.parametrize(
    ("overrides", "again"),
    [
        ((), "queued again by itself after exit code 75"),
        (("launch.max_attempts=1",), "to be started again by hand"),
        (("cluster.requeue=false",), "to be started again by hand"),
    ],
)
def test_it_says_whether_the_job_is_queued_again(overrides: tuple[str, ...], again: str) -> None:
    plan = plan_spec(DiskReader(CASE, shipped_dir("specs")), "spec.toml", overrides)
    assert isinstance(plan, TaskPlan)
    attempts = plan.launch.max_attempts
    hours = f" = {attempts * 2 * 4 * 4} GPU-hours" if attempts > 1 else ""
    row = f"| attempts | at most {attempts}{hours} | {again} |"
    assert row in task_md(plan, "sha256:0").splitlines()
