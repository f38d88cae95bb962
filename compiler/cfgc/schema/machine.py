"""``[parallel]``, ``[hardware]``, ``[launch]`` and ``[cluster]``: on what, and how it starts."""

from __future__ import annotations

from typing import Literal

from cfgc.schema.field import Later, Section, logistics, numerics, resources
from cfgc.schema.values import ByteSize, Duration, Int, Program, Text, Word, Words, WritablePath

_DATA = Later("parallel", 'leave it at 1; ZeRO partitions the state of large models, `zero = "3"` under `[overlays]`')


class Parallel(Section):
    """How ranks are grouped; what is left is data-parallel."""

    tensor_parallel: Int = resources(1, "Ranks that share each layer.", unit="ranks", ge=1, later=_DATA)
    pipeline_parallel: Int = resources(1, "Groups of consecutive layers.", unit="ranks", ge=1, later=_DATA)
    sequence_parallel: Int = resources(1, "Ranks that share each sequence.", unit="ranks", ge=1, later=_DATA)
    expert_parallel: Int = resources(1, "Ranks that share the experts.", unit="ranks", ge=1, later=_DATA)


class Hardware(Section):
    """Facts of one device and its node; usually an overlay."""

    name: Text = resources("", "Name of the device, for people.")
    device: Literal["cuda", "cpu"] = numerics("cuda", "What a rank computes on.")
    architecture: Literal["unknown", "cpu", "volta", "turing", "ampere", "ada", "hopper", "blackwell"] = resources(
        "unknown", "Generation of the device; decides whether bf16 and fp8 exist."
    )
    memory: ByteSize = resources(0, "Memory of one device; 0 is unknown.", unit="bytes", ge=0)
    gpus_per_node_max: Int = resources(0, "Devices in one node; 0 is unknown.", unit="devices", ge=0)
    peak_tflops_bf16: float = resources(
        0.0, "Dense bf16 peak of one device; 0 is unknown.", unit="TFLOP/s", ge=0, le=1e6
    )


class Launch(Section):
    """How the ranks start."""

    nodes: Int = resources(1, "Machines.", unit="nodes", ge=1, le=10_000)
    gpus_per_node: Int = resources(1, "Ranks on each node: one per GPU, or CPU ranks.", unit="ranks", ge=1, le=64)
    run_dir: WritablePath | None = logistics(
        None, "Where the run keeps its state, on the node. Absent: `runs/<experiment.name>` below the start directory."
    )
    master_port: Int = logistics(
        0,
        "TCP port of the rendezvous on the first node. 0: a free one on one machine, one from the job id on Slurm.",
        unit="port",
        ge=0,
        le=65535,
    )
    threads_per_rank: Int = resources(1, "CPU threads of each rank.", unit="threads", ge=1, le=1024)
    time_limit: Duration = resources(86_400, "Wall time of one attempt.", unit="seconds", gt=0)
    signal_lead: Duration = logistics(300, "Time between the signal to save and the end.", unit="seconds", gt=0)
    shutdown_grace: Duration = logistics(300, "Time that ranks get to save after TERM.", unit="seconds", gt=0)
    timeout: Duration = logistics(1800, "Time that a collective may wait for its peers.", unit="seconds", gt=0)
    max_attempts: Int = logistics(5, "Starts of the run, the first and requeues.", unit="attempts", ge=1, le=1000)
    watchdog: Duration | None = logistics(
        None,
        "Time without a step after which a rank counts as hung: its stacks are written to its log and the run ends "
        "with code 77. 0: never. Absent: half of `launch.timeout`, so that it speaks before a collective gives up.",
        unit="seconds",
        ge=0,
    )
    restart: bool = logistics(
        False,
        "Whether launch.sh starts again by itself after a failure that can be retried, up to `launch.max_attempts`.",
    )
    restart_delay: Duration = logistics(
        30, "Wait before the first such start; it doubles with each one.", unit="seconds", ge=0, le=86_400
    )
    python: Program = logistics("python3", "Interpreter on the node.", min_length=1)
    executor: Literal["docker", "skypilot", "dgxcloud", "lepton", "ray", "kubernetes"] | None = logistics(
        None,
        "Who starts the ranks, besides the two that every bundle has.",
        later=Later(
            "executor", "leave it out; every bundle starts on one machine (launch.sh) and on Slurm (job.sbatch)"
        ),
    )


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
