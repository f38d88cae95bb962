"""The run as data: every number final. Written by cfgc: change the spec and build again.

Needs the standard library only; importing it makes these values and does nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        """What type checkers get from typing, without the time to import it."""
        return lambda cls: cls


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Frozen:
    """Named values that cannot be changed."""

    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is frozen: change the spec and build again")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is frozen: change the spec and build again")

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


class Experiment(Frozen):
    """What the run is called."""

    name: str
    description: str
    tags: tuple[str, ...]
    seed: int
    deterministic: bool


class Target(Frozen):
    """The releases that the bundle is compiled for; ``slurm`` is the oldest that the job script runs on."""

    deepspeed: str
    torch: str
    slurm: str


class Topology(Frozen):
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


class NodePath(Frozen):
    """A path on the node, expanded there.

    ``base``: ``cwd`` (the directory that the script was started in), ``absolute``, ``env`` (the value of variable
    ``name``), ``stdlib`` (the interpreter's own standard library), ``stage`` (the run directory of stage ``name``,
    beside this run's own) or ``checkpoint`` (its newest whole one). ``path`` is below that base, ``.`` for itself.
    """

    base: Literal["cwd", "absolute", "env", "stdlib", "stage", "checkpoint"]
    name: str
    path: str


class Task(Frozen):
    """What every rank runs in place of training: a function, which wiring.py calls, a script of the bundle, an export.

    ``interpreter`` are the words before the script, ``python`` for the run's own; ``environment`` is the task's alone,
    and ``paths`` are variables too. ``checkpoint`` is what an export reads, ``dtype`` empty the precision of training.
    """

    kind: Literal["function", "script", "export"]
    target: str
    script: str
    script_sha256: str
    interpreter: tuple[str, ...]
    args: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    paths: tuple[tuple[str, NodePath], ...]
    working_directory: NodePath
    checkpoint: NodePath
    format: Literal["auto", "huggingface", "safetensors"]
    dtype: Literal["", "fp32", "bf16", "fp16"]


class Package(Frozen):
    """The user's code that the bundle carries, as ``package.tar`` of this digest; without one, none.

    Python looks in ``roots`` of it, in order: each ends in ``/``, or is empty for the archive's own root.
    """

    sha256: str
    roots: tuple[str, ...]


class Launch(Frozen):
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
    environment: tuple[tuple[str, str], ...]
    required: tuple[str, ...]
    limits: tuple[tuple[str, int], ...]
    cpu_binding: Literal["none", "cores", "numa"]
    ops: tuple[str, ...]
    ops_cache: NodePath


EXPERIMENT: Final = Experiment(
    name="chain-report",
    description="",
    tags=(),
    seed=42,
    deterministic=True,
)
TARGET: Final = Target(
    deepspeed="",
    torch="2.13.0",
    slurm="22.05",
)
TOPOLOGY: Final = Topology(
    device="cpu",
    hardware="CPU",
    architecture="cpu",
    device_memory=0,
    nodes=1,
    ranks_per_node=1,
    world_size=1,
    data_parallel=1,
    tensor_parallel=1,
    pipeline_parallel=1,
    sequence_parallel=1,
    backend="gloo",
    timeout_s=1800,
)
TASK: Final = Task(
    kind="script",
    target="",
    script="script/report.py",
    script_sha256="30bbdfd50262e5a4d3a24de8ffd1a20fdeabfb502a221416a9f9af20e6c3bf2a",
    interpreter=("python",),
    args=(),
    environment=(),
    paths=(
        (
            "CONFIG",
            NodePath(
                base="stage",
                name="export",
                path="model/config.json",
            ),
        ),
        (
            "CURVE",
            NodePath(
                base="stage",
                name="pretrain",
                path="metrics.jsonl",
            ),
        ),
        (
            "RESULTS",
            NodePath(
                base="stage",
                name="judge",
                path="evaluation.json",
            ),
        ),
    ),
    working_directory=NodePath(
        base="cwd",
        name="",
        path=".",
    ),
    checkpoint=NodePath(
        base="cwd",
        name="",
        path=".",
    ),
    format="auto",
    dtype="",
)
PACKAGE: Final = Package(
    sha256="",
    roots=(),
)
LAUNCH: Final = Launch(
    run_dir=NodePath(
        base="env",
        name="SCRATCH",
        path="chains/first/stages/report",
    ),
    python="python3",
    launcher="torchrun",
    master_port=0,
    threads_per_rank=1,
    time_limit_s=600,
    signal_lead_s=300,
    max_attempts=5,
    shutdown_grace_s=300,
    watchdog_s=0,
    restart=False,
    restart_delay_s=30,
    environment=(
        ("DS_ACCELERATOR", "cpu"),
        ("OMP_NUM_THREADS", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONUNBUFFERED", "1"),
    ),
    required=(),
    limits=(),
    cpu_binding="none",
    ops=(),
    ops_cache=NodePath(
        base="absolute",
        name="",
        path="/tmp",
    ),
)
PLAN_DIGEST: Final[str] = "sha256:db7b8727bf686607fc701725d65974ba8aee32ce77d20bb285451054c1c5c9fb"
