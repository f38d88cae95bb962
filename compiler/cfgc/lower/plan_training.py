"""The plan of the training: steps, rates, updates, evaluations and saves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
class Penalties:
    """Weights of the terms that training adds to the loss, 0 for none; docs/training.md has the formulas.

    ``eos`` weighs ends of texts that are shorter than ``min_sequence_length`` tokens.
    """

    repetition: float
    immediate_repetition: float
    min_sequence_length: int
    eos: float


@dataclass(frozen=True)
class Evaluation:
    """Held-out loss every ``every_steps`` optimizer steps (0: never), at most ``max_batches`` micro batches a rank."""

    every_steps: int
    micro_batch_size: int
    max_batches: int
    at_end: bool


@dataclass(frozen=True)
class EarlyStopping:
    """Stop after ``patience`` evaluations (0: never) that improve the loss by less than ``threshold``."""

    patience: int
    threshold: float


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
