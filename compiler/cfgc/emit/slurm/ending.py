"""What each end of the run leads to: ending.sh.j2."""

from __future__ import annotations

from collections.abc import Mapping

from cfgc.lower.plan import AnyPlan


def values(plan: AnyPlan) -> Mapping[str, object]:
    """What the part is given."""
    return {"requeue": plan.slurm.requeue, "max_attempts": plan.launch.max_attempts}
