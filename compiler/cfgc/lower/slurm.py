"""What job.sbatch asks for, as (option, value) pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.ending import MINUTE, requeues, signal_lead_of
from cfgc.arithmetic.of_spec import cpus_per_task_of, tasks_per_node_of
from cfgc.lower import plan, site
from cfgc.schema.units import format_duration

if TYPE_CHECKING:
    from cfgc.schema.spec import AnySpec

MIB = 1024**2


def slurm(spec: AnySpec) -> plan.Slurm:
    """Directives in the order of the script.

    No ``--export``: ``NONE`` would leak into srun and take PATH from the tasks.
    """
    directives = (
        *_identity(spec),
        *_resources(spec),
        *_placement(spec),
        *_mail(spec),
        *_ending(spec),
    )
    cluster = spec.cluster
    return plan.Slurm(
        cluster=cluster.name,
        directives=directives,
        modules=cluster.modules,
        tasks_per_node=tasks_per_node_of(spec),
        cpus_per_task=cpus_per_task_of(spec),
        memory_mib=_mib(cluster.memory_per_node),
        requeue=requeues(spec),
        chain=cluster.chain,
        container=site.container(cluster.container),
        exports=site.exports(cluster),
        log_dir=site.log_dir(cluster),
        max_array_size=cluster.max_array_size or 0,
    )


def _identity(spec: AnySpec) -> Iterator[tuple[str, str]]:
    yield "job-name", spec.experiment.name
    # Beside the script's start directory, since the run directory may not exist yet; one file for all attempts.
    yield "output", "slurm-%x-%j.out"
    yield "open-mode", "append"


def _resources(spec: AnySpec) -> Iterator[tuple[str, str]]:
    yield "nodes", str(spec.launch.nodes)
    yield "ntasks-per-node", str(tasks_per_node_of(spec))
    yield "cpus-per-task", str(cpus_per_task_of(spec))
    if spec.hardware.device == "cuda":
        yield from _gpus(spec)
    memory = _mib(spec.cluster.memory_per_node)
    # 0 means all of the node's memory, to Slurm too.
    yield "mem", f"{memory}M" if memory else "0"
    if spec.cluster.exclusive:
        yield "exclusive", ""
    yield "time", slurm_time(spec.launch.time_limit)


def _gpus(spec: AnySpec) -> Iterator[tuple[str, str]]:
    count = spec.launch.gpus_per_node
    if spec.cluster.gres:
        yield "gres", f"{spec.cluster.gres}:{count}"
    else:
        yield "gpus-per-node", str(count)


def _placement(spec: AnySpec) -> Iterator[tuple[str, str]]:
    cluster = spec.cluster
    for option, value in (
        ("partition", cluster.partition),
        ("account", cluster.account),
        ("qos", cluster.qos),
        ("reservation", cluster.reservation),
        ("constraint", cluster.constraint),
        ("exclude", cluster.exclude),
    ):
        if value:
            yield option, value


def _mail(spec: AnySpec) -> Iterator[tuple[str, str]]:
    if spec.cluster.mail_user:
        yield "mail-user", spec.cluster.mail_user
    if spec.cluster.mail_type:
        yield "mail-type", ",".join(spec.cluster.mail_type)


def _ending(spec: AnySpec) -> Iterator[tuple[str, str]]:
    # B: only the batch shell, which forwards it; USR2 because NCCL may take USR1.
    yield "signal", f"B:USR2@{rounded_lead(signal_lead_of(spec.launch))}"
    yield ("requeue" if requeues(spec) else "no-requeue"), ""


def _mib(size: int) -> int:
    """Bytes as Slurm counts memory, rounded up."""
    return -(-size // MIB)


def rounded_lead(seconds: int) -> int:
    """Whole minutes, since Slurm's clock is about that coarse; in seconds."""
    return -(-seconds // MINUTE) * MINUTE


def slurm_time(seconds: int) -> str:
    """``HH:MM:SS``, whole minutes rounded up; hours may pass 24."""
    return format_duration(-(-seconds // MINUTE) * MINUTE)
