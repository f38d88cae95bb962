"""Tables of a cluster profile: what its partitions allow, the container that ranks run in, and their limits."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from cfgc.schema.field import Section, logistics, numerics
from cfgc.schema.values import ByteSize, Duration, Int, Path, Text, Word, Words, array_to_tuple


class Partition(Section):
    """What a partition allows: facts of the site, against which a spec is checked."""

    name: Word = logistics(..., "Its name.", why="It is a fact of the site that a job is judged by.", min_length=1)
    time_limit: Duration = logistics(
        0,
        "Longest wall time; 0 is unknown.",
        why="It is a fact of the site that a job is judged by.",
        unit="seconds",
        ge=0,
    )
    max_nodes: Int = logistics(
        0,
        "Most nodes of a job; 0 is unknown.",
        why="It is a fact of the site that a job is judged by.",
        unit="nodes",
        ge=0,
    )
    gpus_per_node: Int | None = logistics(
        None,
        "GPUs in each node; 0 has none. Absent: unknown.",
        why="It is a fact of the site that a job is judged by.",
        unit="GPUs",
        ge=0,
    )
    cpus_per_node: Int = logistics(
        0,
        "CPUs of each node; 0 is unknown.",
        why="It is a fact of the site that a job is judged by.",
        unit="cpus",
        ge=0,
    )
    memory_per_node: ByteSize = logistics(
        0,
        "Memory of each node for jobs; 0 is unknown.",
        why="It is a fact of the site that a job is judged by.",
        unit="bytes",
        ge=0,
    )
    preemptible: bool = logistics(
        False,
        "Jobs of other partitions may take the nodes at any time.",
        why="It is a fact of the site that a job is judged by.",
    )
    qos: Words = logistics(
        (), "Qualities of service that it takes; empty is any.", why="It is a fact of the site that a job is judged by."
    )
    accounts: Words = logistics(
        (), "Accounts that may use it; empty is any.", why="It is a fact of the site that a job is judged by."
    )


class Mount(Section):
    """A directory of the node that the container sees too."""

    source: Path = logistics(..., "Directory of the node.", why="It is a place that the container sees.")
    target: Text = logistics(
        "", "Where the container sees it; empty is the same place.", why="It is a place that the container sees."
    )
    read_only: bool = logistics(
        False, "The container may not write there.", why="It decides only what may be written there."
    )


Partitions: TypeAlias = Annotated[tuple[Partition, ...], BeforeValidator(array_to_tuple)]
Mounts: TypeAlias = Annotated[tuple[Mount, ...], BeforeValidator(array_to_tuple)]


class Container(Section):
    """The container that every rank runs in; the bundle, the run directory and the start directory are mounted too."""

    kind: Literal["none", "pyxis", "apptainer"] = logistics(
        "none",
        "Who runs it: Slurm's plugin pyxis (with enroot), or apptainer (once singularity).",
        why="The same image is run by another program.",
    )
    image: Text = numerics(
        "",
        "The image: a file on the cluster (.sqsh, .sif), or a name that the runner can pull.",
        why="It brings libraries, and perhaps own code: another one may compute otherwise.",
    )
    mounts: Mounts = logistics(
        (), "Directories besides those of the run.", why="They are places that the container sees."
    )
    mount_home: bool = logistics(
        False,
        "Mount the home directory; it brings packages that the image did not mean.",
        why="It is a place that the container sees.",
    )


class Limits(Section):
    """What the system lets the processes of a rank have (``ulimit``), raised as far as the site permits."""

    nofile: Int = logistics(
        0,
        "Files that a process may open; 0 leaves it.",
        why="It decides whether the run fails, not what it computes.",
        unit="files",
        ge=0,
    )
    memlock: Literal["inherit", "unlimited"] = logistics(
        "inherit",
        "Memory that a process may lock; RDMA needs it.",
        why="It decides whether the run fails, not what it computes.",
    )
    stack: Literal["inherit", "unlimited"] = logistics(
        "inherit", "Size of a process's stack.", why="It decides whether the run fails, not what it computes."
    )
    core: Literal["inherit", "none"] = logistics(
        "inherit", "Core files of crashed processes; `none` writes none.", why="It decides what a crash leaves behind."
    )
