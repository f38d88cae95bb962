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
    """Ranks and how they are grouped. world_size = nodes × ranks_per_node = dp × tp × pp × sp."""

    device: Literal["cpu", "cuda"]
    hardware: str
    nodes: int
    ranks_per_node: int
    world_size: int
    data_parallel: int
    tensor_parallel: int
    pipeline_parallel: int
    sequence_parallel: int
    backend: Literal["gloo", "nccl"]
    timeout_s: int


class Batch(Frozen):
    """Samples. global_batch_size = micro × accumulation × data_parallel; tokens are per optimizer step."""

    global_batch_size: int
    micro_batch_size: int
    gradient_accumulation_steps: int
    tokens_per_step: int


class Schedule(Frozen):
    """Learning rate: linear warm-up from 0, then ``scheduler`` down to the final rate at max_steps."""

    scheduler: Literal["constant", "linear", "cosine"]
    max_steps: int
    warmup_steps: int
    learning_rate: float
    final_learning_rate: float
    total_tokens: int


class Model(Frozen):
    """The decoder transformer. ``head_dim`` × ``num_heads`` = ``hidden_size``; ``parameters`` counts weights."""

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    intermediate_size: int
    max_sequence_length: int
    activation: Literal["swiglu", "gelu", "relu"]
    norm_eps: float
    rope_theta: float
    tie_embeddings: bool
    attention: Literal["sdpa", "eager"]
    attention_dropout: float
    hidden_dropout: float
    initializer_range: float
    activation_checkpointing: bool
    parameters: int


class Optimizer(Frozen):
    """The optimizer's own settings; the rate is in the schedule, clipping in ds_config.

    ``decay_norm_and_bias`` False leaves one-dimensional parameters without weight decay.
    """

    type: Literal["adamw", "adam", "sgd"]
    betas: tuple[float, float]
    eps: float
    momentum: float
    weight_decay: float
    decay_norm_and_bias: bool
    gradient_clipping: float


class NodePath(Frozen):
    """A path on the node, expanded there.

    ``base``: ``cwd`` (the directory that the script was started in), ``absolute``, ``env`` (the value of variable
    ``name``) or ``stdlib`` (the interpreter's own standard library). ``path`` is below that base, ``.`` for itself.
    """

    base: Literal["cwd", "absolute", "env", "stdlib"]
    name: str
    path: str


class Source(Frozen):
    """Text files below ``path`` that match one of ``include`` and none of ``exclude`` (fnmatch over the posix path)."""

    name: str
    path: NodePath
    include: tuple[str, ...]
    exclude: tuple[str, ...]


class Data(Frozen):
    """Where tokens come from. Lengths in tokens; ``eval_fraction`` of the samples is held out; max_… 0 means all."""

    sources: tuple[Source, ...]
    tokenizer: Literal["bytes"]
    sequence_length: int
    eval_fraction: float
    shuffle: bool
    shuffle_seed: int
    reshuffle_each_epoch: bool
    max_train_samples: int
    max_eval_samples: int
    num_workers: int


class Evaluation(Frozen):
    """Held-out loss every ``every_steps`` optimizer steps (0: never), at most ``max_batches`` micro batches a rank."""

    every_steps: int
    micro_batch_size: int
    max_batches: int
    at_end: bool


class EarlyStopping(Frozen):
    """Stop after ``patience`` evaluations (0: never) that improve the loss by less than ``threshold``."""

    patience: int
    threshold: float


class Checkpoint(Frozen):
    """Saves: every ``every_steps`` optimizer steps (0: only at the end), the newest ``keep_last`` stay."""

    every_steps: int
    keep_last: int
    bytes_each: int


class Tracking(Frozen):
    """What is written while training: a metrics line every ``log_every_steps`` steps."""

    log_every_steps: int
    log_level: Literal["debug", "info", "warning", "error"]


class Launch(Frozen):
    """How the ranks start. Seconds; ``environment`` is set for every rank, ``required`` must be set by the user."""

    run_dir: NodePath
    python: str
    master_port: int
    threads_per_rank: int
    time_limit_s: int
    signal_lead_s: int
    max_attempts: int
    shutdown_grace_s: int
    environment: tuple[tuple[str, str], ...]
    required: tuple[str, ...]


EXPERIMENT: Final = Experiment(
    name="8xa100-zero2",
    description="Large-scale training on 8 A100s",
    tags=(),
    seed=42,
    deterministic=True,
)
TARGET: Final = Target(
    deepspeed="0.19.8",
    torch="2.13.0",
    slurm="22.05",
)
TOPOLOGY: Final = Topology(
    device="cuda",
    hardware="A100-80GB",
    nodes=1,
    ranks_per_node=8,
    world_size=8,
    data_parallel=8,
    tensor_parallel=1,
    pipeline_parallel=1,
    sequence_parallel=1,
    backend="nccl",
    timeout_s=1800,
)
BATCH: Final = Batch(
    global_batch_size=384,
    micro_batch_size=4,
    gradient_accumulation_steps=12,
    tokens_per_step=393_216,
)
SCHEDULE: Final = Schedule(
    scheduler="cosine",
    max_steps=40000,
    warmup_steps=2000,
    learning_rate=3e-05,
    final_learning_rate=3e-06,
    total_tokens=15_728_640_000,
)
PRECISION: Final[Literal["fp32", "bf16", "fp16"]] = "bf16"
ZERO_STAGE: Final[Literal[0, 1, 2, 3]] = 2
MODEL: Final = Model(
    vocab_size=320,
    hidden_size=1280,
    num_layers=28,
    num_heads=20,
    num_kv_heads=20,
    head_dim=64,
    intermediate_size=5120,
    max_sequence_length=4096,
    activation="swiglu",
    norm_eps=1e-05,
    rope_theta=10000.0,
    tie_embeddings=True,
    attention="sdpa",
    attention_dropout=0.0,
    hidden_dropout=0.0,
    initializer_range=0.02,
    activation_checkpointing=True,
    parameters=734_485_760,
)
OPTIMIZER: Final = Optimizer(
    type="adamw",
    betas=(0.9, 0.95),
    eps=1e-08,
    momentum=0.0,
    weight_decay=0.1,
    decay_norm_and_bias=False,
    gradient_clipping=0.5,
)
DATA: Final = Data(
    sources=(
        Source(
            name="corpus",
            path=NodePath(
                base="env",
                name="DATA_DIR",
                path="text",
            ),
            include=("*.txt",),
            exclude=(),
        ),
    ),
    tokenizer="bytes",
    sequence_length=1024,
    eval_fraction=0.01,
    shuffle=True,
    shuffle_seed=42,
    reshuffle_each_epoch=True,
    max_train_samples=0,
    max_eval_samples=1000,
    num_workers=0,
)
EVALUATION: Final = Evaluation(
    every_steps=500,
    micro_batch_size=16,
    max_batches=0,
    at_end=True,
)
EARLY_STOPPING: Final = EarlyStopping(
    patience=3,
    threshold=0.01,
)
CHECKPOINT: Final = Checkpoint(
    every_steps=1000,
    keep_last=3,
    bytes_each=10_282_800_640,
)
TRACKING: Final = Tracking(
    log_every_steps=50,
    log_level="info",
)
LAUNCH: Final = Launch(
    run_dir=NodePath(
        base="env",
        name="SCRATCH",
        path="runs/8xa100-zero2",
    ),
    python="python3",
    master_port=0,
    threads_per_rank=1,
    time_limit_s=86400,
    signal_lead_s=300,
    max_attempts=5,
    shutdown_grace_s=300,
    environment=(
        ("CUBLAS_WORKSPACE_CONFIG", ":4096:8"),
        ("DS_ACCELERATOR", "cuda"),
        ("OMP_NUM_THREADS", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONUNBUFFERED", "1"),
    ),
    required=(),
)
PLAN_DIGEST: Final[str] = "sha256:97f090871afcfd1b37ada0c22630d865b745ba2d7d0715985fa6b6df57cafdec"
