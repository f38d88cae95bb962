"""How the run comes back, and what each of its ends leads to: return.sh.j2 and ending.sh.j2."""

from __future__ import annotations

from collections.abc import Mapping

from cfgc.lower.plan import AnyPlan


def values(plan: AnyPlan) -> Mapping[str, object]:
    """What the parts are given: the way back is ``requeue``, ``chain`` or neither; one start has none."""
    several = plan.launch.max_attempts > 1
    return {
        "requeue": plan.slurm.requeue and several,
        "chain": plan.slurm.chain and several,
        "max_attempts": plan.launch.max_attempts,
    }
