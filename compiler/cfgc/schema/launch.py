"""``[launch]``: how the ranks start, end and start again."""

from __future__ import annotations

from typing import Literal

from cfgc.schema.field import Later, Section, logistics, resources
from cfgc.schema.values import Duration, Int, Ops, Program, WritablePath


class Launch(Section):
    """How the ranks start."""

    nodes: Int = resources(
        1,
        "Machines.",
        why="The same batch is computed by other ranks. Sums round otherwise.",
        unit="nodes",
        ge=1,
        le=10_000,
    )
    gpus_per_node: Int = resources(
        1,
        "Ranks on each node: one per GPU, or CPU ranks.",
        why="The same batch is computed by other ranks. Sums round otherwise.",
        unit="ranks",
        ge=1,
        le=64,
    )
    launcher: Literal["torchrun", "srun"] = logistics(
        "torchrun",
        "Who starts the ranks in a Slurm job: torchrun, from one task on each node, or srun, with one task for each "
        "rank. launch.sh starts them with torchrun.",
        why="The same ranks are started by another program.",
    )
    run_dir: WritablePath | None = logistics(
        None,
        "Where the run keeps its state, on the node. Absent: `runs/<experiment.name>` below the start directory.",
        why="It is where the run keeps its state.",
    )
    master_port: Int = logistics(
        0,
        "TCP port of the rendezvous on the first node. 0: a free one on one machine, one from the job id on Slurm.",
        why="It is where ranks meet.",
        unit="port",
        ge=0,
        le=65535,
    )
    threads_per_rank: Int = resources(
        1,
        "CPU threads of each rank.",
        why="It decides how many CPUs a rank computes on. Sums on a CPU round otherwise.",
        unit="threads",
        ge=1,
        le=1024,
    )
    time_limit: Duration = resources(
        86_400, "Wall time of one attempt.", why="It decides how long the nodes are paid for.", unit="seconds", gt=0
    )
    step_time: Duration | None = logistics(
        None,
        "About how long the longest step takes, evaluations aside. What follows from the wall time is checked then.",
        why="It is an estimate that times are judged by.",
        unit="seconds",
        gt=0,
    )
    save_time: Duration | None = logistics(
        None, "About how long a save takes.", why="It is an estimate that times are judged by.", unit="seconds", gt=0
    )
    signal_lead: Duration | None = logistics(
        None,
        "Time between the signal to save and the end. Absent: `launch.step_time` + `launch.save_time` + a minute for "
        "Slurm's clock, in whole minutes; five minutes where those are not given.",
        why="It decides when a run that will be ended saves.",
        unit="seconds",
        gt=0,
    )
    shutdown_grace: Duration | None = logistics(
        None,
        "Time that ranks get to save after TERM. Absent: `launch.step_time` + `launch.save_time`, in whole minutes; "
        "five minutes where those are not given.",
        why="It decides how long a run that ends may save.",
        unit="seconds",
        gt=0,
    )
    timeout: Duration = logistics(
        1800,
        "Time that a collective may wait for its peers.",
        why="It decides when a run that hangs ends.",
        unit="seconds",
        gt=0,
    )
    max_attempts: Int = logistics(
        5,
        "Starts of the run, the first one and those that follow by themselves.",
        why="It decides how often a run starts again, from the state that it had.",
        unit="attempts",
        ge=1,
        le=1000,
    )
    watchdog: Duration | None = logistics(
        None,
        "Time without a step after which a rank counts as hung: its stacks are written to its log and the run ends "
        "with code 77. 0: never. Absent: half of `launch.timeout`, so that it speaks before a collective gives up.",
        why="It decides when a run that hangs ends.",
        unit="seconds",
        ge=0,
    )
    restart: bool = logistics(
        False,
        "Whether launch.sh starts again by itself after a failure that can be retried, up to `launch.max_attempts`.",
        why="It decides whether a run starts again, from the state that it had.",
    )
    restart_delay: Duration = logistics(
        30,
        "Wait before the first such start; it doubles with each one.",
        why="It decides when a run starts again.",
        unit="seconds",
        ge=0,
        le=86_400,
    )
    python: Program = logistics(
        "python3",
        "Interpreter on the node.",
        why="It is a place; the releases that are found there are held to `target` when ranks start.",
        min_length=1,
    )
    cpu_binding: Literal["none", "cores", "numa"] = logistics(
        "none",
        "CPUs of each rank, of those that the node gives the run: all of them, an equal share of its `cores`, or those "
        "near one memory (`numa`), which for a rank with a GPU is the GPU's.",
        why="The same is computed by other CPUs of the node.",
    )
    build_ops: Ops = logistics(
        (),
        "DeepSpeed's compiled ops that each node builds once, before its ranks start: for a task of one's own. What "
        "training needs is built without being named.",
        why="Ops are built before they are needed.",
    )
    ops_cache: WritablePath | None = logistics(
        None,
        "Directory of the node in which compiled code is kept (DeepSpeed's ops, Triton, torch.compile), below a folder "
        "of the user's own and one for each set of versions. Absent: `/tmp`.",
        why="It is where the same compiled code lies.",
    )
    executor: Literal["docker", "skypilot", "dgxcloud", "lepton", "ray", "kubernetes"] | None = logistics(
        None,
        "Who starts the ranks, besides the two that every bundle has.",
        why="The same ranks are started by another program.",
        later=Later(
            "executor", "leave it out; every bundle starts on one machine (launch.sh) and on Slurm (job.sbatch)"
        ),
    )
