"""launch.sh, and what it and job.sbatch are both given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from cfgc.emit.shell import Sh, path_expression, quoted, render_script, word
from cfgc.emit.slurm import array
from cfgc.launching.torch import SHUTDOWN_TIMEOUT
from cfgc.lower.plan import AnyPlan, NodePath, Review, Sweep, TaskPlan


def launch_sh(plan: AnyPlan) -> str:
    """The text of launch.sh: one machine, or several without a scheduler."""
    return render_script(
        "local/launch.sh.j2",
        **common_values(plan),
        rendezvous=_local_rendezvous(plan),
        restart=plan.launch.restart and plan.topology.nodes == 1,
        several=plan.topology.nodes > 1,
        more_hosts=Sh(",…" if plan.topology.nodes > 2 else ""),
        port=plan.launch.master_port,
    )


def needed_variables(plan: AnyPlan) -> tuple[str, ...]:
    """Names of the variables that must be set where the run starts, sorted: node paths and secrets.

    What the scripts set themselves is not asked of anybody.
    """
    named = {path.name for path in _node_paths(plan) if path.base == "env"} | set(plan.launch.required)
    return tuple(sorted(named - {name for name, value in plan.launch.environment.items() if value}))


def _node_paths(part: object) -> Iterator[NodePath]:
    """Every path on the node in ``part`` of a plan, wherever it is."""
    if isinstance(part, NodePath):
        yield part
    elif is_dataclass(part) and not isinstance(part, (Review, Sweep)):  # which say how the plan came about
        for field in fields(part):
            yield from _node_paths(getattr(part, field.name))
    elif isinstance(part, tuple):
        for item in part:
            yield from _node_paths(item)


def _run_dir(plan: AnyPlan) -> Sh:
    """The run directory as a shell word; one below a variable of the spec is known before the script exports that."""
    path = plan.launch.run_dir
    known = plan.launch.environment.get(path.name) if path.base == "env" else None
    if not known:
        return path_expression(path)
    return Sh(quoted(known if path.path == "." else f"{known}/{path.path}"))


def common_values(plan: AnyPlan) -> Mapping[str, object]:
    """What the script templates share."""
    launch, topology = plan.launch, plan.topology
    return {
        **array.values(plan),
        "name": word(plan.experiment.name),
        "python": launch.python,
        "run_dir": _run_dir(plan),
        "environment": [(word(name), value) for name, value in sorted(launch.environment.items())],
        "needed": [word(name) for name in needed_variables(plan)],
        "nodes": topology.nodes,
        "ranks_per_node": topology.ranks_per_node,
        "world_size": topology.world_size,
        "is_task": isinstance(plan, TaskPlan),
        "on_gpus": topology.device == "cuda",
        "shutdown_grace_s": launch.shutdown_grace_s,
        "shutdown": Sh(_shutdown(plan)),
    }


def _shutdown(plan: AnyPlan) -> str:
    """torchrun's time between TERM and KILL; older releases have a fixed one, to which a rule holds the spec."""
    if SHUTDOWN_TIMEOUT.is_newer_than(plan.target.torch):
        return ""
    return f" --shutdown-timeout={plan.launch.shutdown_grace_s}"


def _local_rendezvous(plan: AnyPlan) -> Sh:
    """torchrun's own free port, so that two runs can share a machine, unless the spec names a port."""
    port = plan.launch.master_port
    return Sh(f"--master-addr=127.0.0.1 --master-port={port}" if port else "--standalone")
