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


class Batch(Frozen):
    """Samples. global_batch_size = micro × accumulation × data_parallel; tokens are per optimizer step."""

    global_batch_size: int
    micro_batch_size: int
    gradient_accumulation_steps: int
    tokens_per_step: int


class Schedule(Frozen):
    """Learning rate: linear warm-up from 0, then ``scheduler`` down to the final rate at max_steps.

    ``decay`` is the shape of the way down, in the last ``decay_steps`` for wsd; ``power`` is polynomial's; ``gamma``
    multiplies the rate at each of ``milestones``, or at every multiple of ``step_size`` unless that is 0.
    """

    scheduler: Literal["constant", "linear", "cosine", "step", "wsd", "polynomial"]
    max_steps: int
    warmup_steps: int
    learning_rate: float
    final_learning_rate: float
    total_tokens: int
    decay: Literal["linear", "cosine", "sqrt"]
    decay_steps: int
    power: float
    gamma: float
    step_size: int
    milestones: tuple[int, ...]


class Model(Frozen):
    """The decoder transformer. ``head_dim`` × ``num_heads`` = ``hidden_size``; ``parameters`` counts weights."""

    kind: Literal["decoder"]
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
    attention: Literal["sdpa", "eager", "flash_attention_2"]
    attention_dropout: float
    hidden_dropout: float
    initializer_range: float
    activation_checkpointing: bool
    parameters: int


class ParameterGroup(Frozen):
    """Parameters whose names match ``pattern`` (fnmatch), and that no group before has."""

    pattern: str
    weight_decay: float
    decay_norm_and_bias: bool
    learning_rate_scale: float


class Optimizer(Frozen):
    """The optimizer's own settings; the rate is in the schedule, clipping in ds_config.

    ``decay_norm_and_bias`` False leaves one-dimensional parameters without weight decay. ``groups`` take parameters out
    of what the rest says.
    """

    type: Literal["adamw", "adam", "sgd", "fused_adam", "lamb", "lion", "muon", "adagrad", "target"]
    betas: tuple[float, float]
    eps: float
    momentum: float
    weight_decay: float
    decay_norm_and_bias: bool
    gradient_clipping: float
    groups: tuple[ParameterGroup, ...]


class Source(Frozen):
    """Files below ``path`` that match one of ``include`` and none of ``exclude`` (fnmatch over the posix path).

    ``path`` may be one file. A text file is a record. ``field`` of a record holds its text, or, as ``format`` says,
    other fields hold a prompt and its completion, or messages. ``split`` eval is never trained on.
    """

    name: str
    path: NodePath
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    kind: Literal["text", "jsonl", "parquet", "arrow", "huggingface", "tokens"]
    dataset_split: str
    field: str
    format: Literal["text", "prompt", "chat"]
    prompt_field: str
    completion_field: str
    messages_field: str
    split: Literal["train", "eval"]


class Tokenizer(Frozen):
    """How text becomes tokens. Bytes have an empty ``path``; an empty token is the one that the tokenizer names."""

    kind: Literal["bytes", "tokenizers", "transformers"]
    path: NodePath
    end_token: str
    pad_token: str


class Mixing(Frozen):
    """Which source a sample comes from: drawn by ``shares``, or by each source's samples ^ ``exponent``, normalised.

    ``shares`` are those of the training sources, in order; none by sizes, which only the node knows.
    """

    by: Literal["none", "shares", "sizes"]
    shares: tuple[float, ...]
    exponent: float


class Streaming(Frozen):
    """Reading in order, without an index. ``buffer_size`` is in samples; 1 keeps the order of the records."""

    enabled: bool
    buffer_size: int


class Data(Frozen):
    """Where tokens come from. Lengths in tokens; ``eval_fraction`` of the samples is held out; max_… 0 means all.

    Of ``max_bad_records``, 0 means none. Without ``packing`` a sample is a document. ``chat_template`` empty is the
    tokenizer's own.
    """

    target: str
    sources: tuple[Source, ...]
    tokenizer: Tokenizer
    max_bad_records: int
    sequence_length: int
    eval_fraction: float
    shuffle: bool
    shuffle_seed: int
    reshuffle_each_epoch: bool
    max_train_samples: int
    max_eval_samples: int
    packing: bool
    padding_side: Literal["left", "right"]
    pad_to: Literal["longest", "sequence_length"]
    truncation: bool
    chat_template: str
    num_workers: int
    pin_memory: bool
    prefetch_factor: int
    persistent_workers: bool
    mixing: Mixing
    streaming: Streaming


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


class GradientHealth(Frozen):
    """The bound on the gradient norm goes in a line from the initial to the final value over ``warmup_steps``.

    A norm above ``explosion_threshold`` is an explosion; ``auto_reduce_lr`` then multiplies the rate of all later steps
    by ``lr_reduction_factor``. Not ``enabled``: the bound is ``gradient_clipping``, and nothing is watched.
    """

    enabled: bool
    initial_clip_value: float
    final_clip_value: float
    warmup_steps: int
    explosion_threshold: float
    auto_reduce_lr: bool
    lr_reduction_factor: float


class Penalties(Frozen):
    """Weights of the terms that training adds to the loss, 0 for none; docs/training.md has the formulas.

    ``eos`` weighs ends of texts that are shorter than ``min_sequence_length`` tokens.
    """

    repetition: float
    immediate_repetition: float
    min_sequence_length: int
    eos: float


class Checkpoint(Frozen):
    """Saves: every ``every_steps`` optimizer steps (0: only at the end).

    The newest ``keep_last`` stay (0: all), and the ``keep_best`` of the lowest held-out loss. ``elastic`` allows to
    resume from another number of ranks, ``on_changed_numerics`` from a plan that trains differently.
    """

    every_steps: int
    keep_last: int
    keep_best: int
    elastic: bool
    on_changed_numerics: Literal["refuse", "continue"]
    bytes_each: int


class Wandb(Frozen):
    """Weights & Biases; an empty ``entity``, ``group`` or ``name`` is left to it, or to the run directory."""

    enabled: bool
    mode: Literal["online", "offline"]
    project: str
    entity: str
    group: str
    name: str


class Mlflow(Frozen):
    """MLflow; an empty ``uri`` is the run directory, an empty ``name`` that of the run directory."""

    enabled: bool
    uri: str
    experiment: str
    name: str


class Tracking(Frozen):
    """What is written while training: a metrics line every ``log_every_steps`` steps, always, and to whom else.

    MFU is ``flops_per_token`` × tokens/s ÷ ``peak_flops``, the peak of all devices together; 0 is unknown.
    """

    log_every_steps: int
    log_level: Literal["debug", "info", "warning", "error"]
    csv: bool
    tensorboard: bool
    wandb: Wandb
    mlflow: Mlflow
    flops_per_token: int
    peak_flops: float


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
    name="quickstart",
    description="A byte-level language model of Python source text, on two CPU ranks",
    tags=("demo",),
    seed=42,
    deterministic=True,
)
TARGET: Final = Target(
    deepspeed="0.19.8",
    torch="2.13.0",
    slurm="22.05",
)
TOPOLOGY: Final = Topology(
    device="cpu",
    hardware="CPU",
    architecture="cpu",
    device_memory=0,
    nodes=1,
    ranks_per_node=2,
    world_size=2,
    data_parallel=2,
    tensor_parallel=1,
    pipeline_parallel=1,
    sequence_parallel=1,
    backend="gloo",
    timeout_s=1800,
)
WORK: Final[Literal["train", "evaluate"]] = "train"
WEIGHTS: Final = NodePath(
    base="cwd",
    name="",
    path="",
)
BATCH: Final = Batch(
    global_batch_size=16,
    micro_batch_size=4,
    gradient_accumulation_steps=2,
    tokens_per_step=2048,
)
SCHEDULE: Final = Schedule(
    scheduler="cosine",
    max_steps=240,
    warmup_steps=10,
    learning_rate=0.003,
    final_learning_rate=0.0003,
    total_tokens=491_520,
    decay="cosine",
    decay_steps=0,
    power=1.0,
    gamma=0.1,
    step_size=0,
    milestones=(),
)
PRECISION: Final[Literal["fp32", "bf16", "fp16"]] = "bf16"
ZERO_STAGE: Final[Literal[0, 1, 2, 3]] = 2
COMPILE: Final[bool] = False
MODEL: Final = Model(
    kind="decoder",
    vocab_size=320,
    hidden_size=128,
    num_layers=4,
    num_heads=4,
    num_kv_heads=4,
    head_dim=32,
    intermediate_size=384,
    max_sequence_length=256,
    activation="swiglu",
    norm_eps=1e-05,
    rope_theta=10000.0,
    tie_embeddings=True,
    attention="sdpa",
    attention_dropout=0.0,
    hidden_dropout=0.0,
    initializer_range=0.02,
    activation_checkpointing=False,
    parameters=894_080,
)
OPTIMIZER: Final = Optimizer(
    type="adamw",
    betas=(0.9, 0.95),
    eps=1e-08,
    momentum=0.0,
    weight_decay=0.1,
    decay_norm_and_bias=False,
    gradient_clipping=1.0,
    groups=(),
)
DATA: Final = Data(
    target="",
    sources=(
        Source(
            name="python-library",
            path=NodePath(
                base="stdlib",
                name="",
                path=".",
            ),
            include=("*.py",),
            exclude=("site-packages/*", "dist-packages/*", "test/*", "*/test/*", "*/tests/*", "idlelib/*", "lib2to3/*"),
            kind="text",
            dataset_split="train",
            field="text",
            format="text",
            prompt_field="prompt",
            completion_field="completion",
            messages_field="messages",
            split="train",
        ),
    ),
    tokenizer=Tokenizer(
        kind="bytes",
        path=NodePath(
            base="cwd",
            name="",
            path="",
        ),
        end_token="",
        pad_token="",
    ),
    max_bad_records=0,
    sequence_length=128,
    eval_fraction=0.01,
    shuffle=True,
    shuffle_seed=42,
    reshuffle_each_epoch=True,
    max_train_samples=0,
    max_eval_samples=256,
    packing=True,
    padding_side="right",
    pad_to="longest",
    truncation=True,
    chat_template="",
    num_workers=0,
    pin_memory=False,
    prefetch_factor=2,
    persistent_workers=False,
    mixing=Mixing(
        by="none",
        shares=(),
        exponent=1.0,
    ),
    streaming=Streaming(
        enabled=False,
        buffer_size=10000,
    ),
)
EVALUATION: Final = Evaluation(
    every_steps=80,
    micro_batch_size=4,
    max_batches=16,
    at_end=True,
)
EARLY_STOPPING: Final = EarlyStopping(
    patience=0,
    threshold=0.0,
)
GRADIENT_HEALTH: Final = GradientHealth(
    enabled=False,
    initial_clip_value=2.0,
    final_clip_value=1.0,
    warmup_steps=0,
    explosion_threshold=5.0,
    auto_reduce_lr=True,
    lr_reduction_factor=0.5,
)
PENALTIES: Final = Penalties(
    repetition=0.0,
    immediate_repetition=0.0,
    min_sequence_length=0,
    eos=0.0,
)
CHECKPOINT: Final = Checkpoint(
    every_steps=80,
    keep_last=3,
    keep_best=0,
    elastic=False,
    on_changed_numerics="refuse",
    bytes_each=12_517_120,
)
TRACKING: Final = Tracking(
    log_every_steps=5,
    log_level="info",
    csv=False,
    tensorboard=False,
    wandb=Wandb(
        enabled=False,
        mode="online",
        project="quickstart",
        entity="",
        group="",
        name="",
    ),
    mlflow=Mlflow(
        enabled=False,
        uri="",
        experiment="quickstart",
        name="",
    ),
    flops_per_token=6_150_912,
    peak_flops=0.0,
)
PACKAGE: Final = Package(
    sha256="",
    roots=(),
)
LAUNCH: Final = Launch(
    run_dir=NodePath(
        base="cwd",
        name="",
        path="runs/quickstart",
    ),
    python="python3",
    launcher="torchrun",
    master_port=0,
    threads_per_rank=1,
    time_limit_s=3600,
    signal_lead_s=300,
    max_attempts=1,
    shutdown_grace_s=300,
    watchdog_s=900,
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
PLAN_DIGEST: Final[str] = "sha256:a03d47291ff9bde1d2aa033b52eaba84f50adb84ec654c12714810e92f4359b6"
