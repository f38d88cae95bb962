"""The plan of the machine: its ranks, how they start, and what they need of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NodePath:
    """A path on the node, expanded there.

    ``base``: ``cwd`` (the directory that the script was started in), ``absolute``, ``env`` (the value of variable
    ``name``), ``stdlib`` (the interpreter's own standard library), ``stage`` (the run directory of stage ``name``,
    beside this run's own) or ``checkpoint`` (its newest whole one). ``path`` is below that base, ``.`` for itself.
    """

    base: Literal["cwd", "absolute", "env", "stdlib", "stage", "checkpoint"]
    name: str
    path: str


@dataclass(frozen=True)
class Target:
    """The releases that the bundle is compiled for; ``slurm`` is the oldest that the job script runs on."""

    deepspeed: str
    torch: str
    slurm: str


@dataclass(frozen=True)
class Topology:
    """Ranks and how they are grouped. world_size = nodes × ranks_per_node = dp × tp × pp × sp.

    ``device_memory`` is in bytes, 0 unknown.
    """

    device: Literal["cpu", "cuda"]
    hardware: str
    architecture: Literal["unknown", "cpu", "volta", "turing", "ampere", "ada", "hopper", "blackwell"]
    device_memory: int
    nodes: int
    ranks_per_node: int
    world_size: int
    data_parallel: int
    tensor_parallel: int
    pipeline_parallel: int
    sequence_parallel: int
    backend: Literal["gloo", "nccl"]
    timeout_s: int


@dataclass(frozen=True)
class Launch:
    """How the ranks start. Seconds; ``environment`` is set for every rank, ``required`` must be set by the user.

    ``limits`` are (name of a resource limit, value), -1 without limit. ``watchdog_s`` 0 is off. ``restart`` lets
    launch.sh start again by itself, after ``restart_delay_s`` at first. ``ops`` of DeepSpeed are built on each node.
    """

    run_dir: NodePath
    python: str
    launcher: Literal["torchrun", "srun"]
    master_port: int
    threads_per_rank: int
    time_limit_s: int
    signal_lead_s: int
    max_attempts: int
    shutdown_grace_s: int
    watchdog_s: int
    restart: bool
    restart_delay_s: int
    environment: Mapping[str, str]
    required: tuple[str, ...]
    limits: tuple[tuple[str, int], ...]
    cpu_binding: Literal["none", "cores", "numa"]
    ops: tuple[str, ...]
    ops_cache: NodePath


@dataclass(frozen=True)
class Mount:
    """A directory of the node that a container sees, at ``target``; an empty one is the same place."""

    source: NodePath
    target: str
    read_only: bool


@dataclass(frozen=True)
class Container:
    """What ranks run in; of kind ``none`` nothing else counts."""

    kind: Literal["none", "pyxis", "apptainer"]
    image: str
    mounts: tuple[Mount, ...]
    mount_home: bool


@dataclass(frozen=True)
class Slurm:
    """job.sbatch: ``directives`` are (option without dashes, value), one word each; an empty value is a switch.

    ``requeue``: the job may be queued again. ``chain``: it submits its successor instead.
    ``memory_mib`` is that of a node, 0 all of it. ``exports`` are variables that hold a path of the node. ``log_dir``
    is where submit.sh puts the job's log. ``max_array_size`` 0 is Slurm's own default.
    """

    cluster: str
    directives: tuple[tuple[str, str], ...]
    modules: tuple[str, ...]
    tasks_per_node: int
    cpus_per_task: int
    memory_mib: int
    requeue: bool
    chain: bool
    container: Container
    exports: tuple[tuple[str, NodePath], ...]
    log_dir: NodePath
    max_array_size: int


@dataclass(frozen=True)
class Estimate:
    """Closed-form sizes, in bytes per rank unless named otherwise; 0 capacity or peak means unknown.

    ``host_bytes`` is what offloading keeps in the node's memory instead; ``peak_tflops`` is the device's bf16 peak.
    """

    parameter_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    device_bytes: int
    flops_per_token: int
    gpu_hours: float
    host_bytes: int = 0
    peak_tflops: float = 0.0
