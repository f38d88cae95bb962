"""The plan: the fully computed run. Plain frozen data; nothing is optional and nothing means "auto".

Its parts are in ``plan_….py``, by topic; all of them are imported from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cfgc.load.graph import Input
from cfgc.lower.plan_code import NO_ARCHIVE, NO_PACKAGE, Archive, Argument, Call, Package, Task
from cfgc.lower.plan_data import Data, Mixing, Source, Streaming, Tokenizer
from cfgc.lower.plan_machine import Container, Estimate, Launch, Mount, NodePath, Slurm, Target, Topology
from cfgc.lower.plan_model import AnyModel, HuggingFaceModel, Model, TargetModel
from cfgc.lower.plan_sweep import SINGLE, Sweep
from cfgc.lower.plan_tracking import Mlflow, Tracking, Wandb
from cfgc.lower.plan_training import (
    Batch,
    Checkpoint,
    EarlyStopping,
    Evaluation,
    GradientHealth,
    Optimizer,
    ParameterGroup,
    Penalties,
    Schedule,
)
from cfgc.origin import Origin

__all__ = [
    "AnyModel", "AnyPlan", "Archive", "Argument", "Batch", "Call", "Checkpoint", "Container", "Data", "EarlyStopping",
    "Estimate", "Evaluation", "Experiment", "GradientHealth", "HuggingFaceModel", "Json", "Launch", "Mixing",
    "Mlflow", "Model", "Mount", "NodePath", "Optimizer", "Package", "ParameterGroup", "Penalties", "Plan",
    "Provenance", "Review", "Schedule", "Slurm", "Source", "Streaming", "Sweep", "Target", "TargetModel", "Task",
    "TaskPlan", "Tokenizer", "Topology", "Tracking", "Wandb",
]  # fmt: skip

Json: TypeAlias = "str | int | float | bool | None | list[Json] | dict[str, Json]"


@dataclass(frozen=True)
class Experiment:
    """What the run is called."""

    name: str
    description: str
    tags: tuple[str, ...]
    seed: int
    deterministic: bool


@dataclass(frozen=True)
class Provenance:
    """One line of resolved.toml: the value and the comment that says where it came from.

    ``origin`` is the same as data. ``derived`` says from what a value was computed that no layer gives; its ``origin``
    is that of the unset that took one away, if any did.
    """

    path: tuple[str, ...]
    value: object
    comment: str
    origin: Origin | None = None
    derived: str = ""


@dataclass(frozen=True)
class Warned:
    """A warning that nobody waived: the file that it points at and what the line there says, empty where it is none."""

    code: str
    message: str
    file: str
    line: str


@dataclass(frozen=True)
class Review:
    """What a reviewer should look at. Not part of the plan's meaning.

    ``removed`` are keys that a layer unset and that no layer sets since, and that layer. ``warnings`` are those of all
    points of a sweep.
    """

    provenance: tuple[Provenance, ...]
    inputs: tuple[Input, ...]
    root: str
    overlays: tuple[tuple[str, str], ...]
    overrides: tuple[str, ...]
    raw_keys: tuple[str, ...]
    raw_reason: str
    waivers: tuple[tuple[str, str], ...]
    removed: tuple[tuple[tuple[str, ...], str], ...] = ()
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everything that the emitters need. All but ``review`` and ``archive`` is the meaning, covered by the plan digest.

    The plan of a sweep is that of its first point, and ``sweep`` says what the others change. ``work`` is what is done
    with the model; ``weights`` is the checkpoint that it has them from, without a path none.
    """

    experiment: Experiment
    target: Target
    topology: Topology
    work: Literal["train", "evaluate"]
    weights: NodePath
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
    sweep: Sweep = SINGLE
    package: Package = NO_PACKAGE
    archive: Archive = NO_ARCHIVE


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
    sweep: Sweep = SINGLE
    package: Package = NO_PACKAGE
    archive: Archive = NO_ARCHIVE


AnyPlan: TypeAlias = Plan | TaskPlan
"""Training, or a task of the user's own; what both have is the same."""
