"""The shape of a bundle's ``config.py``, and how it is loaded. Names and units are the plan's."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeGuard, cast

from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.point import apply_config, point_of

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.data.config import Data


class NodePath(Protocol):
    """A path on this machine: ``path`` below ``base``; ``name`` is the variable or the stage when the base is one."""

    base: Literal["cwd", "absolute", "env", "stdlib", "stage", "checkpoint"]
    name: str
    path: str


class Experiment(Protocol):
    """What the run is called, its words for people, and its seed."""

    name: str
    description: str
    tags: tuple[str, ...]
    seed: int
    deterministic: bool


class Target(Protocol):
    """The releases that the bundle was compiled for."""

    deepspeed: str
    torch: str


class Topology(Protocol):
    """Ranks and where they run; ``device_memory`` in bytes, 0 unknown."""

    device: Literal["cpu", "cuda"]
    architecture: Literal["unknown", "cpu", "volta", "turing", "ampere", "ada", "hopper", "blackwell"]
    device_memory: int
    nodes: int
    ranks_per_node: int
    world_size: int
    backend: Literal["gloo", "nccl"]
    timeout_s: int


class Batch(Protocol):
    """Samples per micro step and per optimizer step."""

    global_batch_size: int
    micro_batch_size: int
    gradient_accumulation_steps: int
    tokens_per_step: int


class Schedule(Protocol):
    """The learning rate over optimizer steps."""

    scheduler: Literal["constant", "linear", "cosine", "step", "wsd", "polynomial"]
    max_steps: int
    warmup_steps: int
    learning_rate: float
    final_learning_rate: float
    decay: Literal["linear", "cosine", "sqrt"]
    decay_steps: int
    power: float
    gamma: float
    step_size: int
    milestones: tuple[int, ...]


class Model(Protocol):
    """The decoder transformer."""

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


class HuggingFaceModel(Protocol):
    """A causal language model of transformers, by ``path`` or, where that is empty, by ``config``, a JSON object.

    Sizes are 0 where only this machine knows them.
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


class TargetModel(Protocol):
    """A model that the user's own code builds."""

    kind: Literal["target"]
    target: str
    vocab_size: int
    max_sequence_length: int
    parameters: int


AnyModel: TypeAlias = Model | HuggingFaceModel | TargetModel
"""Told apart by ``kind``; each has ``vocab_size``, ``max_sequence_length`` and ``parameters``, 0 for unknown."""


class ParameterGroup(Protocol):
    """Parameters whose names match ``pattern`` (fnmatch), and that no group before has."""

    pattern: str
    weight_decay: float
    decay_norm_and_bias: bool
    learning_rate_scale: float


class Optimizer(Protocol):
    """The update rule; ds_config.json has it too when DeepSpeed makes it (adamw, adam, fused_adam, sgd)."""

    type: Literal["adamw", "adam", "sgd", "fused_adam", "lamb", "lion", "muon", "adagrad", "target"]
    betas: tuple[float, float]
    eps: float
    momentum: float
    groups: tuple[ParameterGroup, ...]
    weight_decay: float
    decay_norm_and_bias: bool
    gradient_clipping: float


class Evaluation(Protocol):
    """When and over how many micro batches a rank the held-out loss is taken (0 batches: all)."""

    every_steps: int
    micro_batch_size: int
    max_batches: int
    at_end: bool


class EarlyStopping(Protocol):
    """Stop after ``patience`` evaluations (0: never) without an improvement of ``threshold``."""

    patience: int
    threshold: float


class GradientHealth(Protocol):
    """Clipping from ``initial_clip_value`` to the final one over ``warmup_steps``, and what an explosion does."""

    enabled: bool
    initial_clip_value: float
    final_clip_value: float
    warmup_steps: int
    explosion_threshold: float
    auto_reduce_lr: bool
    lr_reduction_factor: float


class Penalties(Protocol):
    """Weights of the terms that training adds to the loss (0: none); the length is that of a text, in tokens."""

    repetition: float
    immediate_repetition: float
    min_sequence_length: int
    eos: float


class Checkpoint(Protocol):
    """Save every ``every_steps`` (0: only at the end), keep the newest ``keep_last`` (0: all) and ``keep_best``.

    ``on_changed_numerics`` says whether a run goes on with another plan.
    """

    every_steps: int
    keep_last: int
    keep_best: int
    bytes_each: int
    on_changed_numerics: Literal["refuse", "continue"]


class Package(Protocol):
    """The user's code that the bundle carries, by its digest, empty for none; Python searches ``roots``."""

    sha256: str
    roots: tuple[str, ...]


class Launch(Protocol):
    """What the scripts do not decide alone. Seconds; a watchdog of 0 is off; ``required`` variables must be set.

    ``limits`` are (name of a resource limit, value), -1 without limit.
    """

    run_dir: NodePath
    max_attempts: int
    watchdog_s: int
    restart_delay_s: int
    required: tuple[str, ...]
    limits: tuple[tuple[str, int], ...]
    cpu_binding: Literal["none", "cores", "numa"]
    ops: tuple[str, ...]
    ops_cache: NodePath


class Wandb(Protocol):
    """Weights & Biases; what is empty is left to it, an empty ``name`` is that of the run directory."""

    enabled: bool
    mode: Literal["online", "offline"]
    project: str
    entity: str
    group: str
    name: str


class Mlflow(Protocol):
    """MLflow; an empty ``uri`` is the run directory, an empty ``name`` that of the run directory."""

    enabled: bool
    uri: str
    experiment: str
    name: str


class Tracking(Protocol):
    """A metrics line every ``log_every_steps`` steps; ``debug`` adds digests of the samples seen.

    Peak FLOP/s are of all devices; 0 is unknown.
    """

    log_every_steps: int
    log_level: Literal["debug", "info", "warning", "error"]
    csv: bool
    tensorboard: bool
    wandb: Wandb
    mlflow: Mlflow
    flops_per_token: int
    peak_flops: float


class Config(Protocol):
    """The module ``config.py`` of a bundle; ``WEIGHTS`` without a path are none."""

    EXPERIMENT: Experiment
    TARGET: Target
    TOPOLOGY: Topology
    WORK: Literal["train", "evaluate"]
    WEIGHTS: NodePath
    BATCH: Batch
    SCHEDULE: Schedule
    PRECISION: Literal["fp32", "bf16", "fp16"]
    ZERO_STAGE: int
    COMPILE: bool
    MODEL: AnyModel
    OPTIMIZER: Optimizer
    DATA: Data
    EVALUATION: Evaluation
    EARLY_STOPPING: EarlyStopping
    GRADIENT_HEALTH: GradientHealth
    PENALTIES: Penalties
    CHECKPOINT: Checkpoint
    PACKAGE: Package
    LAUNCH: Launch
    TRACKING: Tracking
    PLAN_DIGEST: str


class Task(Protocol):
    """What every rank runs in place of training."""

    kind: Literal["function", "script", "export"]
    target: str
    script: str
    interpreter: tuple[str, ...]
    args: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    paths: tuple[tuple[str, NodePath], ...]
    working_directory: NodePath
    checkpoint: NodePath
    format: Literal["auto", "huggingface", "safetensors"]
    dtype: Literal["", "fp32", "bf16", "fp16"]


class TaskConfig(Protocol):
    """The module ``config.py`` of a bundle whose plan is a task."""

    EXPERIMENT: Experiment
    TARGET: Target
    TOPOLOGY: Topology
    TASK: Task
    PACKAGE: Package
    LAUNCH: Launch
    PLAN_DIGEST: str


def is_task(config: Config | TaskConfig) -> TypeGuard[TaskConfig]:
    """Whether the plan is a task of the user's own, which has nothing of training."""
    return hasattr(config, "TASK")


def trains(config: Config | TaskConfig) -> bool:
    """Whether the plan is a training, which gets further by checkpoints; everything else begins anew."""
    return getattr(config, "WORK", "") == "train"


def load_config(path: Path) -> Config:
    """The module at ``path``, outside ``sys.modules``. Raises ``Failure`` when it cannot be read."""
    if not path.is_file():
        raise Failure(BAD_BUNDLE, f"{path} is missing, so this is not a whole bundle")
    module = ModuleType("cfgc_bundle_config")
    # Not through an import, which may leave bytecode in the bundle.
    exec(compile(path.read_bytes(), path, "exec"), module.__dict__)
    if point := point_of(path.parent):
        apply_config(module, point)
    return cast("Config", module)
