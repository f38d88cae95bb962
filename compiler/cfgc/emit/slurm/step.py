"""How the ranks start in the allocation, and where they meet: allocation, meeting and step.sh.j2."""

from __future__ import annotations

from collections.abc import Mapping

from cfgc.arithmetic.ending import MINUTE
from cfgc.emit.shell import Sh
from cfgc.launching.slurm import GPU_BINDING, GPUS_ON_NODE
from cfgc.lower.plan import AnyPlan, TaskPlan
from cfgc.lower.slurm import rounded_lead


def values(plan: AnyPlan) -> Mapping[str, object]:
    """What the parts are given."""
    slurm = plan.slurm
    return {
        "per_rank": plan.launch.launcher == "srun",
        "tasks": plan.topology.nodes * slurm.tasks_per_node,
        "tasks_per_node": slurm.tasks_per_node,
        "cpus_per_task": slurm.cpus_per_task,
        "cpus_per_node": slurm.tasks_per_node * slurm.cpus_per_task,
        "memory_mib": slurm.memory_mib,
        "asks_for_gpus": _asks_for_gpus(plan),
        "gpus_unsaid": _unsaid(plan),
        "master_port": plan.launch.master_port,
        "signal_lead_min": rounded_lead(plan.launch.signal_lead_s) // MINUTE,
        "srun_wait_s": _patience(plan),
        "unbound": plan.launch.cpu_binding != "none",  # the ranks share out what their node has
        "unset_variables": Sh(" ".join(GPU_BINDING)),
    }


def _asks_for_gpus(plan: AnyPlan) -> bool:
    return any(option == "gpus-per-node" or value.startswith("gpu:") for option, value in plan.slurm.directives)


def _unsaid(plan: AnyPlan) -> int:
    """How many GPUs a node has when Slurm does not say it: none, unless the release may be too old to say it."""
    return plan.topology.ranks_per_node if GPUS_ON_NODE.is_newer_than(plan.target.slurm) else 0


def _patience(plan: AnyPlan) -> int:
    """Seconds that srun waits for the other tasks once one has ended, 0 for ever: ranks of a training end together."""
    return 0 if isinstance(plan, TaskPlan) else plan.launch.shutdown_grace_s
