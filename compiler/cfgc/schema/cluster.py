"""``[cluster]``: the site, and what job.sbatch asks of it."""

from __future__ import annotations

from cfgc.schema.field import Section, logistics, part, resources
from cfgc.schema.site import Container, Limits, Partitions
from cfgc.schema.values import ByteSize, Int, Text, Variable, Word, Words, WritablePath


class Cluster(Section):
    """What job.sbatch asks of Slurm."""

    name: Text = logistics("", "Name of the cluster, for people.", why="It is a name for people.")
    partition: Word = logistics("", "Partition; empty is the site's default.", why="It is where the job waits.")
    partitions: Partitions = logistics(
        (),
        "What is known of the partitions; empty checks nothing.",
        why="They are facts of the site that a job is judged by.",
    )
    account: Word = logistics("", "Account that pays.", why="It is who pays.")
    qos: Word = logistics("", "Quality of service.", why="It is where the job waits.")
    reservation: Word = logistics("", "Reservation.", why="It is where the job waits.")
    gres: Word = logistics(
        "",
        "Spelling of the GPU request, such as `gpu:a100`; empty asks with --gpus-per-node.",
        why="It is another spelling of the same request.",
    )
    constraint: Word = logistics(
        "",
        "Features that nodes must have.",
        why="It is which nodes may be given; what they must be has keys of its own.",
    )
    exclude: Word = logistics("", "Nodes to avoid.", why="It is which nodes may be given.")
    modules: Words = logistics(
        (),
        "Environment modules to load, in order.",
        why="They set places; the releases that are found there are held to `target` when ranks start.",
    )
    container: Container = part(Container(), "The container that ranks run in.")
    environment: dict[Variable, Text] = logistics(
        {},
        "Variables of every rank on this cluster, such as those of NCCL; `env.variables` of a spec come after them.",
        why="Each has the class that its name is known for; a name that is not known may change anything.",
    )
    network_interface: Word = logistics(
        "",
        "Network interface that ranks talk over, for NCCL and gloo, such as `ib0`; empty leaves it to them.",
        why="The same bytes take another way.",
    )
    offline: bool = logistics(
        False,
        "Nodes reach no network: hubs and trackers are told so, and look in caches only.",
        why="It decides whether hubs and trackers are asked.",
    )
    limits: Limits = part(Limits(), "What processes may have (`ulimit`).")
    scratch: WritablePath | None = logistics(
        None,
        "Directory on each node for temporary files (TMPDIR). Absent: what the node sets.",
        why="It is where temporary files lie.",
    )
    log_dir: WritablePath | None = logistics(
        None,
        "Where `submit.sh` puts the job's own log. Absent: the directory it was submitted from.",
        why="It is where a log lies.",
    )
    mail_user: Word = logistics("", "Who is told.", why="It is who is told.")
    mail_type: Words = logistics((), "Events they are told about.", why="It is who is told, and when.")
    cpus_per_task: Int | None = resources(
        None,
        "CPUs of each task of Slurm's: one task a node, or one a rank when `launch.launcher` is srun. Absent: "
        "threads_per_rank for each of its ranks.",
        why="It is how much of a node is asked for.",
        unit="cpus",
        ge=1,
    )
    memory_per_node: ByteSize = resources(
        0, "Host memory of each node; 0 is all of it.", why="It is how much of a node is asked for.", unit="bytes", ge=0
    )
    exclusive: bool = resources(False, "Share nodes with no other job.", why="It is how much of a node is asked for.")
    max_array_size: Int | None = logistics(
        None,
        "Tasks of the largest job array (MaxArraySize of slurm.conf): a sweep of more points is submitted in parts. "
        "Absent: 1,001, which is Slurm's own default.",
        why="It decides how points are queued.",
        unit="tasks",
        gt=0,
    )
    requeue: bool | None = logistics(
        None,
        "Queue again after a save that was asked for, and after the loss of a node. Absent: unless `chain`.",
        why="It decides whether a run starts again, from the state that it had.",
    )
    chain: bool = logistics(
        False,
        "Where jobs must not be requeued: each job submits the next one, which starts when it is over and is cancelled "
        "when nothing is left to do.",
        why="It decides how a run starts again, from the state that it had.",
    )
