"""What follows from how long a step and a save take, and how a job comes back."""

from __future__ import annotations

import pytest

from cfgc.load.disk import DiskReader
from cfgc.lower.plan import Plan
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir
from tests.runtime.bundles import HERE as TINY


def plan_of(*overrides: str) -> Plan:
    plan = plan_spec(DiskReader(TINY, shipped_dir("specs")), "tiny.toml", overrides)
    assert isinstance(plan, Plan)
    return plan


@pytest.mark.covers("launch.step_time", "launch.save_time", "launch.signal_lead", "launch.shutdown_grace")
@pytest.mark.parametrize(
    ("overrides", "lead", "grace"),
    [
        ((), 300, 300),
        (("launch.step_time=20s", "launch.save_time=90s"), 180, 120),
        (("launch.step_time=1s", "launch.save_time=1s"), 120, 60),
        (("launch.save_time=90s",), 300, 300),  # nobody said how long a step takes
        (("launch.save_time=20min",), 1260, 1200),
        (("launch.step_time=20s", "launch.save_time=90s", "launch.signal_lead=7min"), 420, 120),
    ],
)
def test_the_signal_leaves_time_for_a_step_and_a_save(overrides: tuple[str, ...], lead: int, grace: int) -> None:
    plan = plan_of(*overrides)
    assert (plan.launch.signal_lead_s, plan.launch.shutdown_grace_s) == (lead, grace)
    assert ("signal", f"B:USR2@{lead}") in plan.slurm.directives


@pytest.mark.covers("cluster.chain", "cluster.requeue")
def test_a_job_comes_back_in_one_way() -> None:
    plans = {chain: plan_of(f"cluster.chain={chain}") for chain in ("true", "false")}
    found = {chain: (plan.slurm.requeue, plan.slurm.chain) for chain, plan in plans.items()}
    assert found == {"true": (False, True), "false": (True, False)}
    assert ("no-requeue", "") in plans["true"].slurm.directives
