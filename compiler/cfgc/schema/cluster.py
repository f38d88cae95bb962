"""``[cluster]``: the site, and what job.sbatch asks of it."""

from __future__ import annotations

from cfgc.schema.field import Section, logistics, resources
from cfgc.schema.values import ByteSize, Int, Word, Words


class Cluster(Section):
    """What job.sbatch asks of Slurm."""

    partition: Word = logistics("", "Partition; empty is the site's default.")
    account: Word = logistics("", "Account that pays.")
    qos: Word = logistics("", "Quality of service.")
    reservation: Word = logistics("", "Reservation.")
    gres: Word = logistics("", "Spelling of the GPU request, such as `gpu:a100`; empty asks with --gpus-per-node.")
    constraint: Word = logistics("", "Features that nodes must have.")
    exclude: Word = logistics("", "Nodes to avoid.")
    modules: Words = logistics((), "Environment modules to load, in order.")
    mail_user: Word = logistics("", "Who is told.")
    mail_type: Words = logistics((), "Events they are told about.")
    cpus_per_task: Int | None = resources(
        None, "CPUs of the task on each node. Absent: ranks × threads_per_rank.", unit="cpus", ge=1
    )
    memory_per_node: ByteSize = resources(0, "Host memory of each node; 0 is all of it.", unit="bytes", ge=0)
    exclusive: bool = resources(False, "Share nodes with no other job.")
    requeue: bool = logistics(True, "Queue again after a preemption that saved.")
