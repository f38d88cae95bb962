"""``[training]``: steps, batch, precision, optimizer, schedule."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from cfgc.schema.calls import Arguments, CallTarget, Loss
from cfgc.schema.field import Later, OnlyFor, Section, numerics, part, resources
from cfgc.schema.values import Int, Ints, Pair, Text, array_to_tuple

_OWN, _OWN_NEEDS = OnlyFor(("target",), key="type"), OnlyFor(("target",), required=True, key="type")
_STEP = OnlyFor(("step",), key="type")
_WSD, _WSD_NEEDS = OnlyFor(("wsd",), key="type"), OnlyFor(("wsd",), required=True, key="type")
_POLYNOMIAL = OnlyFor(("polynomial",), key="type")
_BF16 = Later("fp8", "leave the table out")


class Scheduler(Section):
    """The learning rate after warm-up."""

    type: Literal["cosine", "linear", "constant", "step", "wsd", "polynomial"] = numerics(
        "cosine", "Shape of the decay from the peak to the final rate.", why="Every rate after warm-up follows from it."
    )
    final_learning_rate: float = numerics(
        0.0,
        "Learning rate at the last step; with `step` the lowest.",
        why="The rates of the decay end in it.",
        unit="rate",
        ge=0,
        le=10,
    )
    decay_steps: Int | None = numerics(
        None,
        "Steps of the decay at the end; the rate stays at its peak before.",
        why="The rate starts to fall that many steps before the end.",
        unit="steps",
        gt=0,
        only=_WSD_NEEDS,
    )
    decay: Literal["linear", "cosine", "sqrt"] = numerics(
        "linear",
        "Shape of that decay; `sqrt` is 1 - √(share done).",
        why="Every rate of the decay follows from it.",
        only=_WSD,
    )
    power: float = numerics(
        1.0,
        "Exponent of the share of steps that is left.",
        why="Every rate of the decay follows from it.",
        unit="exponent",
        gt=0,
        le=10,
        only=_POLYNOMIAL,
    )
    step_size: Int | None = numerics(
        None,
        "Steps between two drops of the rate.",
        why="It says at which steps the rate drops.",
        unit="steps",
        gt=0,
        only=_STEP,
    )
    milestones: Ints = numerics(
        (),
        "Steps at which the rate drops, instead of `step_size`.",
        why="They say at which steps the rate drops.",
        unit="steps",
        only=_STEP,
    )
    gamma: float = numerics(
        0.1,
        "Factor of each drop.",
        why="Every rate after the first drop follows from it.",
        unit="ratio",
        gt=0,
        lt=1,
        only=_STEP,
    )


class ParameterGroup(Section):
    """Parameters with a weight decay or a learning rate of their own."""

    pattern: Text = numerics(
        ...,
        "Names that it takes, with `*` and `?`; the first group that matches has them.",
        why="It says which parameters are updated otherwise.",
    )
    weight_decay: float | None = numerics(
        None,
        "Their weight decay, norms and biases too. Absent: as for the rest.",
        why="It is a term of their update.",
        unit="ratio",
        ge=0,
        le=1,
    )
    learning_rate_scale: float = numerics(
        1.0,
        "Factor of the learning rate; 0 keeps them.",
        why="It is a factor of their update.",
        unit="ratio",
        ge=0,
        le=100,
    )


ParameterGroups: TypeAlias = Annotated[tuple[ParameterGroup, ...], BeforeValidator(array_to_tuple)]


class Optimizer(Section):
    """The update rule; its learning rate is ``training.learning_rate``."""

    type: Literal["adamw", "adam", "sgd", "fused_adam", "lamb", "lion", "muon", "adagrad", "target"] = numerics(
        "adamw",
        "Update rule; `fused_adam` is AdamW in torch's fused kernel, `lamb` and `muon` need ZeRO 0, `target` is one of "
        "the user's own code.",
        why="Another rule makes other weights of the same gradients.",
    )
    target: CallTarget | None = numerics(
        None,
        "Own rule, `module:function`, called with (groups, **arguments), gives a torch Optimizer over torch's groups.",
        why="Another rule makes other weights of the same gradients.",
        only=_OWN_NEEDS,
    )
    arguments: Arguments = numerics(
        {}, "Keyword arguments of that function.", why="They may change what that rule computes.", only=_OWN
    )
    betas: Pair = numerics(
        (0.9, 0.95),
        "Decay of the first and second moment.",
        why="They weigh old gradients in every update.",
        unit="ratio",
    )
    eps: float = numerics(
        1e-8,
        "Added to the root of the second moment.",
        why="It is part of the divisor of every update.",
        unit="ratio",
        gt=0,
        lt=1,
    )
    momentum: float | None = numerics(
        None,
        "Momentum of SGD (absent: 0) and Muon (absent: 0.95).",
        why="It weighs old gradients in every update.",
        unit="ratio",
        ge=0,
        lt=1,
    )
    weight_decay: float = numerics(
        0.1,
        "Decoupled weight decay (plain L2 for adam, adagrad and sgd).",
        why="It is a term of every update.",
        unit="ratio",
        ge=0,
        le=1,
    )
    decay_norm_and_bias: bool = numerics(
        False, "Decay one-dimensional parameters too.", why="It says which parameters are decayed."
    )
    groups: ParameterGroups = numerics(
        (), "Parameters that differ from the rest.", why="Their parameters are updated otherwise."
    )


class EarlyStopping(Section):
    """Stop when the held-out loss stops improving."""

    patience: Int = numerics(
        0,
        "Evaluations without improvement before the run stops; 0 never.",
        why="It decides after which step the run ends.",
        unit="evaluations",
        ge=0,
    )
    threshold: float = numerics(
        0.0,
        "Smallest fall of the loss that counts.",
        why="It decides after which step the run ends.",
        unit="loss",
        ge=0,
        le=1e6,
    )


class GradientHealth(Section):
    """A bound on the gradient norm that tightens, and a lower rate after an explosion."""

    enabled: bool = numerics(
        False,
        "Watch gradient norms; the table replaces `training.gradient_clipping`.",
        why="Gradients are clipped by another bound, and rates may be lowered.",
    )
    initial_clip_value: float = numerics(
        2.0, "Largest norm at the start.", why="Gradients above the bound are scaled to it.", unit="norm", gt=0, le=1e6
    )
    final_clip_value: float = numerics(
        1.0,
        "Largest norm from `warmup_steps` on.",
        why="Gradients above the bound are scaled to it.",
        unit="norm",
        gt=0,
        le=1e6,
    )
    warmup_steps: Int = numerics(
        0,
        "Steps from the initial to the final value, in a line.",
        why="It says how fast the bound moves.",
        unit="steps",
        ge=0,
    )
    explosion_threshold: float = numerics(
        5.0,
        "Norm before clipping above which the gradient explodes.",
        why="It decides at which steps the rate is lowered.",
        unit="norm",
        gt=0,
        le=1e9,
    )
    auto_reduce_lr: bool = numerics(
        True, "Lower the rate of all later steps after an explosion.", why="It decides whether rates are lowered."
    )
    lr_reduction_factor: float = numerics(
        0.5,
        "Factor of that reduction.",
        why="It is a factor of all rates after an explosion.",
        unit="ratio",
        gt=0,
        lt=1,
    )


class Penalties(Section):
    """Terms that training adds to the loss; the held-out loss is without them."""

    repetition: float = numerics(
        0.0,
        "Weight against tokens that were read before.",
        why="It weighs a term of the loss.",
        unit="ratio",
        ge=0,
        le=1000,
    )
    immediate_repetition: float = numerics(
        0.0,
        "Weight against a token right after itself.",
        why="It weighs a term of the loss.",
        unit="ratio",
        ge=0,
        le=1000,
    )
    min_sequence_length: Int = numerics(
        0,
        "Length of a text below which its end is punished, with weight `eos`.",
        why="It decides which positions have a term more.",
        unit="tokens",
        ge=0,
    )
    eos: float = numerics(
        0.0,
        "Weight against an end that comes too early.",
        why="It weighs a term of the loss.",
        unit="ratio",
        ge=0,
        le=1000,
    )


class Fp8(Section):
    """8-bit floating point."""

    enabled: bool | None = numerics(
        None, "Train in 8-bit floats.", why="Products of fewer bits round otherwise.", later=_BF16
    )
    margin: Int | None = numerics(
        None,
        "Bits kept free when scaling.",
        why="It moves what overflows and what vanishes in 8 bits.",
        unit="bits",
        ge=0,
        later=_BF16,
    )
    interval: Int | None = numerics(
        None,
        "Steps between updates of the scale.",
        why="It moves what overflows and what vanishes in 8 bits.",
        unit="steps",
        ge=1,
        later=_BF16,
    )


class Training(Section):
    """How the weights are updated."""

    max_steps: Int | None = numerics(
        None,
        "Optimizer steps of the whole run.",
        why="The run ends there, and most schedules are stretched to it.",
        unit="steps",
        gt=0,
        le=10**9,
    )
    max_epochs: Int | None = numerics(
        None,
        "Passes over the data; needs `data.max_train_samples`, and replaces `max_steps`.",
        why="The run ends there, and most schedules are stretched to it.",
        unit="epochs",
        gt=0,
    )
    global_batch_size: Int | None = numerics(
        None,
        "Samples per optimizer step, over all ranks. Absent: micro × accumulation × data-parallel.",
        why="Each step averages the gradients of that many samples.",
        unit="samples",
        gt=0,
    )
    micro_batch_size: Int | None = resources(
        None,
        "Samples per rank in one forward pass. Absent: follows from the other two.",
        why="A step's samples are the same, cut otherwise: memory and speed. Sums round otherwise.",
        unit="samples",
        gt=0,
    )
    gradient_accumulation_steps: Int | None = resources(
        None,
        "Forward passes per optimizer step. Absent: follows from the other two.",
        why="A step's samples are the same, cut otherwise: memory and speed. Sums round otherwise.",
        unit="passes",
        gt=0,
    )
    precision: Literal["fp32", "bf16", "fp16", "fp8"] = numerics(
        "bf16",
        "Number format of the forward and backward pass.",
        why="Other formats round otherwise, in every product.",
        later=Later("fp8", 'write `precision = "bf16"`', ("fp32", "bf16", "fp16")),
    )
    learning_rate: float = numerics(
        3e-4, "Peak learning rate, after warm-up.", why="Every rate is a multiple of it.", unit="rate", gt=0, le=10
    )
    warmup_steps: Int = numerics(
        0, "Steps of linear warm-up from 0.", why="The rates of the first steps follow from it.", unit="steps", ge=0
    )
    gradient_clipping: float = numerics(
        1.0,
        "Largest norm of the gradient; 0 does not clip.",
        why="Gradients above the bound are scaled to it.",
        unit="norm",
        ge=0,
        le=1e6,
    )
    scheduler: Scheduler = part(Scheduler(), "Learning-rate schedule.")
    optimizer: Optimizer = part(Optimizer(), "Update rule.")
    loss: Loss = part(Loss(), "What is lowered.")
    early_stopping: EarlyStopping = part(EarlyStopping(), "When to stop early.")
    gradient_health: GradientHealth = part(GradientHealth(), "Watching gradients.")
    penalties: Penalties = part(Penalties(), "Terms added to the loss.")
    fp8: Fp8 = part(Fp8(), "8-bit floating point.")
    compile: bool = resources(
        False,
        "Compile the model with torch, which needs a C++ compiler on the nodes.",
        why="Fused kernels compute the same: speed and memory. They round otherwise.",
    )
