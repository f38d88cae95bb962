"""How the ranks start in the allocation, and where they meet: step.sh.j2."""

from __future__ import annotations

from collections.abc import Mapping

from cfgc.emit.shell import Sh
from cfgc.lower.plan import AnyPlan


def values(plan: AnyPlan) -> Mapping[str, object]:
    """What the part is given."""
    return {"cpus_per_task": plan.slurm.cpus_per_task, "master_port": _port(plan)}


def _port(plan: AnyPlan) -> Sh:
    """All nodes must agree on the port before they can talk, and two jobs on a node must not: the job id decides."""
    return Sh(str(plan.launch.master_port or "$((10000 + SLURM_JOB_ID % 20000))"))
