"""The plan: the fully computed run. Plain frozen data; nothing is optional and nothing means "auto"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cfgc.load.graph import Input

Json: TypeAlias = "str | int | float | bool | None | list[Json] | dict[str, Json]"
Argument: TypeAlias = "str | int | float | bool | list[Argument] | dict[str, Argument]"
"""A literal of Python that TOML can say."""


@dataclass(frozen=True)
class NodePath:
    """A path on the node, expanded there.

    ``base``: ``cwd`` (the directory that the script was started in), ``absolute``, ``env`` (the value of variable
    ``name``) or ``stdlib`` (the interpreter's own standard library). ``path`` is below that base, ``.`` for itself.
    """

    base: Literal["cwd", "absolute", "env", "stdlib"]
    name: str
    path: str


@dataclass(frozen=True)
class Experiment:
    """What the run is called."""

    name: str
    description: str
    tags: tuple[str, ...]
    seed: int
    deterministic: bool


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
class Batch:
    """Samples. global_batch_size = micro × accumulation × data_parallel; tokens are per optimizer step."""

    global_batch_size: int
    micro_batch_size: int
    gradient_accumulation_steps: int
    tokens_per_step: int


@dataclass(frozen=True)
class Schedule:
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
    decay: Literal["linear", "cosine", "sqrt"] = "linear"
    decay_steps: int = 0
    power: float = 1.0
    gamma: float = 1.0
    step_size: int = 0
    milestones: tuple[int, ...] = ()


@dataclass(frozen=True)
class Model:
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


@dataclass(frozen=True)
class HuggingFaceModel:
    """A causal language model of transformers; sizes are 0 where only the node knows them.

    ``path`` is a local directory with config.json; empty where ``config``, a JSON object, says what it is. From
    weights, the directory's own are loaded; else the first ones are drawn.
    """

    kind: Literal["huggingface"]
    path: NodePath
    config: str
    from_weights: bool
    attention: Literal["sdpa", "eager", "flash_attention_2"]
    activation_checkpointing: bool
    vocab_size: int
    max_sequence_length: int
    parameters: int


@dataclass(frozen=True)
class TargetModel:
    """A model that the user's own code builds, ``module:attribute``; only that code knows its sizes: they are 0."""

    kind: Literal["target"]
    target: str
    vocab_size: int
    max_sequence_length: int
    parameters: int


AnyModel: TypeAlias = Model | HuggingFaceModel | TargetModel
"""Told apart by ``kind``; each has ``vocab_size``, ``max_sequence_length`` and ``parameters``, 0 for unknown."""


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters whose names match ``pattern`` (fnmatch), and that no group before has."""

    pattern: str
    weight_decay: float
    decay_norm_and_bias: bool
    learning_rate_scale: float


@dataclass(frozen=True)
class Optimizer:
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
    groups: tuple[ParameterGroup, ...] = ()


@dataclass(frozen=True)
class Source:
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


@dataclass(frozen=True)
class Tokenizer:
    """How text becomes tokens. Bytes have an empty ``path``; an empty token is the one that the tokenizer names."""

    kind: Literal["bytes", "tokenizers", "transformers"]
    path: NodePath
    end_token: str
    pad_token: str


@dataclass(frozen=True)
class Mixing:
    """Which source a sample comes from: drawn by ``shares``, or by each source's samples ^ ``exponent``, normalised.

    ``shares`` are those of the training sources, in order; none by sizes, which only the node knows.
    """

    by: Literal["none", "shares", "sizes"]
    shares: tuple[float, ...]
    exponent: float


@dataclass(frozen=True)
class Streaming:
    """Reading in order, without an index. ``buffer_size`` is in samples; 1 keeps the order of the records."""

    enabled: bool
    buffer_size: int


@dataclass(frozen=True)
class Data:
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


@dataclass(frozen=True)
class Evaluation:
    """Held-out loss every ``every_steps`` optimizer steps (0: never), at most ``max_batches`` micro batches a rank."""

    every_steps: int
    micro_batch_size: int
    max_batches: int
    at_end: bool


@dataclass(frozen=True)
class Checkpoint:
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


@dataclass(frozen=True)
class Wandb:
    """Weights & Biases; an empty ``entity``, ``group`` or ``name`` is left to it, or to the run directory."""

    enabled: bool
    mode: Literal["online", "offline"]
    project: str
    entity: str
    group: str
    name: str


@dataclass(frozen=True)
class Mlflow:
    """MLflow; an empty ``uri`` is the run directory, an empty ``name`` that of the run directory."""

    enabled: bool
    uri: str
    experiment: str
    name: str


@dataclass(frozen=True)
class Tracking:
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


@dataclass(frozen=True)
class EarlyStopping:
    """Stop after ``patience`` evaluations (0: never) that improve the loss by less than ``threshold``."""

    patience: int
    threshold: float


@dataclass(frozen=True)
class Call:
    """A call of the user's own code in wiring.py; ``name`` is a metric's, else empty.

    Dotted ``attribute`` of ``module``, with keyword ``arguments`` after what the runtime hands over.
    """

    role: Literal["model", "data", "optimizer", "loss", "metric", "task"]
    name: str
    module: str
    attribute: str
    arguments: Mapping[str, Argument]


@dataclass(frozen=True)
class GradientHealth:
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


@dataclass(frozen=True)
class Task:
    """What every rank runs in place of training: a function, which wiring.py calls, or a script of the bundle.

    ``interpreter`` are the words before the script, ``python`` for the run's own; ``environment`` is the task's alone.
    """

    kind: Literal["function", "script"]
    target: str
    script: str
    script_sha256: str
    interpreter: tuple[str, ...]
    args: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    working_directory: NodePath


@dataclass(frozen=True)
class Penalties:
    """Weights of the terms that training adds to the loss, 0 for none; docs/training.md has the formulas.

    ``eos`` weighs ends of texts that are shorter than ``min_sequence_length`` tokens.
    """

    repetition: float
    immediate_repetition: float
    min_sequence_length: int
    eos: float


@dataclass(frozen=True)
class Launch:
    """How the ranks start. Seconds; ``environment`` is set for every rank, ``required`` must be set by the user.

    ``watchdog_s`` 0 is off. ``restart`` lets launch.sh start again by itself, after ``restart_delay_s`` at first.
    """

    run_dir: NodePath
    python: str
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


@dataclass(frozen=True)
class Slurm:
    """job.sbatch: ``directives`` are (option without dashes, value), one word each; an empty value is a switch."""

    directives: tuple[tuple[str, str], ...]
    modules: tuple[str, ...]
    cpus_per_task: int
    requeue: bool


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


@dataclass(frozen=True)
class Provenance:
    """One line of resolved.toml: the value and the comment that says where it came from."""

    path: tuple[str, ...]
    value: object
    comment: str


@dataclass(frozen=True)
class Review:
    """What a reviewer should look at. Not part of the plan's meaning."""

    provenance: tuple[Provenance, ...]
    inputs: tuple[Input, ...]
    root: str
    overlays: tuple[tuple[str, str], ...]
    overrides: tuple[str, ...]
    raw_keys: tuple[str, ...]
    raw_reason: str
    waivers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Plan:
    """Everything that the emitters need. All but ``review`` is the meaning, and the plan digest covers it."""

    experiment: Experiment
    target: Target
    topology: Topology
    batch: Batch
    schedule: Schedule
    precision: Literal["fp32", "bf16", "fp16"]
    zero_stage: Literal[0, 1, 2, 3]
    compile: bool
    model: AnyModel
    optimizer: Optimizer
    data: Data
    evaluation: Evaluation
    early_stopping: EarlyStopping
    gradient_health: GradientHealth
    penalties: Penalties
    checkpoint: Checkpoint
    tracking: Tracking
    calls: tuple[Call, ...]
    launch: Launch
    slurm: Slurm
    estimate: Estimate
    ds_config: Mapping[str, Json]
    review: Review


@dataclass(frozen=True)
class TaskPlan:
    """What the emitters need of a task. ``target.deepspeed`` is empty where the task does not use it."""

    experiment: Experiment
    target: Target
    topology: Topology
    task: Task
    calls: tuple[Call, ...]
    launch: Launch
    slurm: Slurm
    script: bytes
    review: Review


AnyPlan: TypeAlias = Plan | TaskPlan
"""Training, or a task of the user's own; what both have is the same."""
