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
    name="preprocess",
    description="Cuts the corpus into token files.",
    tags=(),
    seed=5,
    deterministic=True,
)
TARGET: Final = Target(
    deepspeed="",
    torch="2.13.0",
    slurm="22.05",
)
TOPOLOGY: Final = Topology(
    device="cuda",
    hardware="H100-80GB",
    architecture="hopper",
    device_memory=85_520_809_984,
    nodes=2,
    ranks_per_node=4,
    world_size=8,
    data_parallel=8,
    tensor_parallel=1,
    pipeline_parallel=1,
    sequence_parallel=1,
    backend="nccl",
    timeout_s=1800,
)
TASK: Final = Task(
    kind="script",
    target="",
    script="script/inline",
    script_sha256="ee5a1d4334f1e1a50662c97cf175a1fb27e25fe0431fa95cde5e26c1635dcd1c",
    interpreter=("/bin/bash",),
    args=("--style", 'it\'s "quoted"'),
    environment=(("TOKENIZERS_PARALLELISM", "false"),),
    paths=(),
    working_directory=NodePath(
        base="env",
        name="SCRATCH",
        path="corpus",
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
        path="runs",
    ),
    python="python3",
    launcher="torchrun",
    master_port=0,
    threads_per_rank=1,
    time_limit_s=14400,
    signal_lead_s=300,
    max_attempts=5,
    shutdown_grace_s=300,
    watchdog_s=0,
    restart=False,
    restart_delay_s=30,
    environment=(
        ("CUBLAS_WORKSPACE_CONFIG", ":4096:8"),
        ("DS_ACCELERATOR", "cuda"),
        ("OMP_NUM_THREADS", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONUNBUFFERED", "1"),
        ("TORCH_NCCL_DUMP_ON_TIMEOUT", "1"),
        ("TORCH_NCCL_TRACE_BUFFER_SIZE", "2000"),
    ),
    required=("HF_TOKEN",),
    limits=(),
    cpu_binding="none",
    ops=(),
    ops_cache=NodePath(
        base="absolute",
        name="",
        path="/tmp",
    ),
)
PLAN_DIGEST: Final[str] = "sha256:b8028b1ef1a62ef823074878c13a5b5aa1d6691b758e19ab88bca3168fd33aa1"
