"""``[cluster]``: the site, and what job.sbatch asks of it."""

from __future__ import annotations

from cfgc.schema.field import Section, logistics, resources
from cfgc.schema.site import Container, Limits, Partitions
from cfgc.schema.values import ByteSize, Int, Text, Variable, Word, Words, WritablePath


class Cluster(Section):
    """What job.sbatch asks of Slurm."""

    name: Text = logistics("", "Name of the cluster, for people.")
    partition: Word = logistics("", "Partition; empty is the site's default.")
    partitions: Partitions = logistics((), "What is known of the partitions; empty checks nothing.")
    account: Word = logistics("", "Account that pays.")
    qos: Word = logistics("", "Quality of service.")
    reservation: Word = logistics("", "Reservation.")
    gres: Word = logistics("", "Spelling of the GPU request, such as `gpu:a100`; empty asks with --gpus-per-node.")
    constraint: Word = logistics("", "Features that nodes must have.")
    exclude: Word = logistics("", "Nodes to avoid.")
    modules: Words = logistics((), "Environment modules to load, in order.")
    container: Container = logistics(Container(), "The container that ranks run in.")
    environment: dict[Variable, Text] = logistics(
        {}, "Variables of every rank on this cluster, such as those of NCCL; `env.variables` of a spec come after them."
    )
    network_interface: Word = logistics(
        "", "Network interface that ranks talk over, for NCCL and gloo, such as `ib0`; empty leaves it to them."
    )
    offline: bool = logistics(False, "Nodes reach no network: hubs and trackers are told so, and look in caches only.")
    limits: Limits = logistics(Limits(), "What processes may have (`ulimit`).")
    scratch: WritablePath | None = logistics(
        None, "Directory on each node for temporary files (TMPDIR). Absent: what the node sets."
    )
    log_dir: WritablePath | None = logistics(
        None, "Where `submit.sh` puts the job's own log. Absent: the directory it was submitted from."
    )
    mail_user: Word = logistics("", "Who is told.")
    mail_type: Words = logistics((), "Events they are told about.")
    cpus_per_task: Int | None = resources(
        None,
        "CPUs of each task of Slurm's: one task a node, or one a rank when `launch.launcher` is srun. Absent: "
        "threads_per_rank for each of its ranks.",
        unit="cpus",
        ge=1,
    )
    memory_per_node: ByteSize = resources(0, "Host memory of each node; 0 is all of it.", unit="bytes", ge=0)
    exclusive: bool = resources(False, "Share nodes with no other job.")
    max_array_size: Int | None = logistics(
        None,
        "Tasks of the largest job array (MaxArraySize of slurm.conf): a sweep of more points is submitted in parts. "
        "Absent: 1,001, which is Slurm's own default.",
        unit="tasks",
        gt=0,
    )
    requeue: bool | None = logistics(
        None, "Queue again after a save that was asked for, and after the loss of a node. Absent: unless `chain`."
    )
    chain: bool = logistics(
        False,
        "Where jobs must not be requeued: each job submits the next one, which starts when it is over and is cancelled "
        "when nothing is left to do.",
    )
