"""``[task]``, ``[checkpoint]``, ``[tracking]``, ``[evaluation]`` and ``[package]``."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from cfgc.schema.calls import Arguments, CallTarget, Metric
from cfgc.schema.field import Later, OnlyFor, Section, logistics, numerics
from cfgc.schema.trackers import Mlflow, Wandb
from cfgc.schema.values import Int, Path, Text, Texts, Variable, array_to_tuple

_TRAIN = Later(
    "task",
    'leave the table out to train; a function of yours can do it today: `task.target = "my_pkg.align:main"`',
    ("train", "evaluate", "export", "script", "function"),
)
_EXPORT = OnlyFor(("export",))
_COPY = Later("package", "leave the table out, and install your package on the node")


Variables: TypeAlias = dict[Variable, Text]
Paths: TypeAlias = dict[Variable, Path]


class Task(Section):
    """What the ranks do."""

    kind: Literal["train", "evaluate", "export", "finetune", "rlhf", "ppo", "dpo", "script", "function"] = numerics(
        "train", "The task.", later=_TRAIN
    )
    target: CallTarget | None = numerics(
        None, "Own function, `module:function`, called with (**arguments) on every rank, in place of training."
    )
    arguments: Arguments = numerics({}, "Keyword arguments of that function.")
    partial: bool | None = numerics(
        None,
        "Leave arguments open.",
        later=Later("task", "leave it out; a function is called with what `arguments` say"),
    )
    script: Text | None = numerics(
        None, "Script of the project that every rank runs, in place of training; the bundle carries it.", min_length=1
    )
    inline: str | None = numerics(None, "Text of such a script.", min_length=1)
    args: Texts = numerics((), "Words after the script.")
    env: Variables = logistics({}, "Variables of the task alone, besides `[env.variables]`.")
    working_directory: Path | None = logistics(
        None, "Directory that the task starts in. Absent: the one that the run was started in."
    )
    paths: Paths = logistics(
        {}, "Variables of a function or script whose values are paths of the node, such as another stage's output."
    )
    checkpoint: Path | None = numerics(
        None,
        "Weights that an evaluation judges or an export writes: a checkpoint, or a run directory for its newest.",
        only=OnlyFor(("evaluate", "export"), required=True),
    )
    format: Literal["auto", "huggingface", "safetensors"] = logistics(
        "auto",
        "What an export writes: a directory that transformers loads where it has such a model, or tensors only.",
        only=_EXPORT,
    )
    dtype: Literal["fp32", "bf16", "fp16"] | None = logistics(
        None, "Precision of exported weights. Absent: that of training.", only=_EXPORT
    )
    uses_deepspeed: bool = logistics(False, "The task imports DeepSpeed, so that the node must have the target's.")


class Checkpoint(Section):
    """When state is saved, and how much of it stays."""

    every_steps: Int = logistics(1000, "Optimizer steps between saves; 0 saves only at the end.", unit="steps", ge=0)
    every_epochs: Int = logistics(
        0,
        "The same in passes over the data; needs `data.max_train_samples`, and replaces `every_steps`.",
        unit="epochs",
        ge=0,
    )
    keep_last: Int = logistics(3, "Newest checkpoints to keep; 0 keeps all.", unit="checkpoints", ge=0)
    keep_best: Int = logistics(
        0,
        "Checkpoints of the lowest held-out loss to keep besides the newest; 0 keeps none.",
        unit="checkpoints",
        ge=0,
    )
    elastic: bool = logistics(
        False, "Convert a checkpoint of another number of ranks or another offload when a run resumes from it."
    )
    on_changed_numerics: Literal["refuse", "continue"] = logistics(
        "refuse", "What a resume does when values that change the loss curve are not those of the checkpoint."
    )
    asynchronous: bool | None = logistics(
        None,
        "Write while training goes on.",
        later=Later("checkpoint", "leave it out; none of DeepSpeed's asynchronous writers saved on a CPU"),
    )


class Tracking(Section):
    """What is written while training. metrics.jsonl is written always."""

    log_every_steps: Int = logistics(10, "Steps between lines of metrics.jsonl.", unit="steps", gt=0)
    log_level: Literal["debug", "info", "warning", "error"] = logistics("info", "Least important messages shown.")
    csv: bool = logistics(False, "Write metrics.csv, below `tracking/` of the run directory.")
    tensorboard: bool = logistics(False, "Write TensorBoard events, below `tracking/tensorboard`.")
    wandb: Wandb = logistics(Wandb(), "Report to Weights & Biases; `true` is enough.")
    mlflow: Mlflow = logistics(Mlflow(), "Report to MLflow; `true` is enough.")


Metrics: TypeAlias = Annotated[tuple[Metric, ...], BeforeValidator(array_to_tuple)]


class Evaluation(Section):
    """Loss on held-out samples."""

    every_steps: Int = logistics(0, "Optimizer steps between evaluations; 0 never.", unit="steps", ge=0)
    every_epochs: Int = logistics(
        0,
        "The same in passes over the data; needs `data.max_train_samples`, and replaces `every_steps`.",
        unit="epochs",
        ge=0,
    )
    micro_batch_size: Int | None = logistics(
        None, "Samples per rank and pass. Absent: that of training.", unit="samples", gt=0
    )
    max_batches: Int = logistics(0, "Micro batches per rank in one evaluation; 0 is all.", unit="batches", ge=0)
    at_end: bool = logistics(True, "Evaluate after the last step.")
    metrics: Metrics = logistics((), "Own numbers, averaged over the held-out samples of all ranks.")


class Package(Section):
    """How code reaches the node."""

    kind: Literal["git", "pattern", "hybrid", "container"] | None = logistics(None, "What is packed.", later=_COPY)
    repository: Text | None = logistics(None, "Repository to archive.", later=_COPY)
    commit: Text | None = logistics(None, "Commit to archive.", later=_COPY)
    subdirectory: Text | None = logistics(None, "Part of the repository.", later=_COPY)
    patterns: Texts | None = logistics(None, "Files to take.", later=_COPY)
    exclude_patterns: Texts | None = logistics(None, "Files to leave out.", later=_COPY)
    image: Text | None = logistics(None, "Container image.", later=_COPY)
