"""PLAN.md names everybody that a run reports to, and whether over the network."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cfgc.emit.plan_md import plan_md
from cfgc.lower.plan import Mlflow, Tracking, Wandb
from tests.unit.emit.samples import cpu_plan


def lines_of(**changes: object) -> list[str]:
    plan = cpu_plan()
    tracking: Tracking = replace(plan.tracking, **changes)  # type: ignore[arg-type]
    return plan_md(replace(plan, tracking=tracking), "sha256:" + "0" * 64).splitlines()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"csv": True}, "| CSV | below the run directory | written: `tracking/metrics.csv` |"),
        ({"tensorboard": True}, "| TensorBoard | below the run directory | written: `tracking/tensorboard` |"),
        (
            {"wandb": Wandb(True, "online", "gpt", "lab", "", "")},
            "| W&B | its service | sent over the network to `lab/gpt`: metrics and the spec's values |",
        ),
        (
            {"wandb": Wandb(True, "offline", "gpt", "", "", "")},
            "| W&B | below the run directory | written: `tracking/wandb`, for `gpt` |",
        ),
        (
            {"mlflow": Mlflow(True, "https://mlflow.example.org", "gpt", "")},
            "| MLflow | `https://mlflow.example.org` | sent to experiment `gpt`: metrics and the spec's values |",
        ),
        (
            {"mlflow": Mlflow(True, "", "gpt", "")},
            "| MLflow | below the run directory | written: `tracking/mlflow`, experiment `gpt` |",
        ),
    ],
)
def test_each_tracker_has_its_line(changes: dict[str, object], line: str) -> None:
    assert line in lines_of(**changes)
    assert line not in lines_of()
