"""``[task]``, ``[checkpoint]``, ``[tracking]``, ``[evaluation]`` and ``[package]``."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from cfgc.schema.calls import Arguments, CallTarget, Metric
from cfgc.schema.field import Later, OnlyFor, Section, logistics, numerics, part, resources
from cfgc.schema.trackers import Mlflow, Wandb
from cfgc.schema.values import Int, Path, Text, Texts, Variable, array_to_tuple

_TRAIN = Later(
    "task",
    'leave the table out to train; a function of yours can do it today: `task.target = "my_pkg.align:main"`',
    ("train", "evaluate", "export", "script", "function"),
)
_EXPORT = OnlyFor(("export",))


Variables: TypeAlias = dict[Variable, Text]
Paths: TypeAlias = dict[Variable, Path]


class Task(Section):
    """What the ranks do."""

    kind: Literal["train", "evaluate", "export", "finetune", "rlhf", "ppo", "dpo", "script", "function"] = numerics(
        "train", "The task.", why="It says what is computed at all.", later=_TRAIN
    )
    target: CallTarget | None = numerics(
        None,
        "Own function, `module:function`, called with (**arguments) on every rank, in place of training.",
        why="It says what is computed at all.",
    )
    arguments: Arguments = numerics(
        {}, "Keyword arguments of that function.", why="They may change what the function computes."
    )
    partial: bool | None = numerics(
        None,
        "Leave arguments open.",
        why="It says what the function is called with.",
        later=Later("task", "leave it out; a function is called with what `arguments` say"),
    )
    script: Text | None = numerics(
        None,
        "Script of the project that every rank runs, in place of training; the bundle carries it.",
        why="It says what is computed at all.",
        min_length=1,
    )
    inline: str | None = numerics(None, "Text of such a script.", why="It says what is computed at all.", min_length=1)
    args: Texts = numerics((), "Words after the script.", why="They may change what the script computes.")
    env: Variables = numerics(
        {},
        "Variables of the task alone, besides `[env.variables]`.",
        why="They may change what the task computes, like its arguments.",
    )
    working_directory: Path | None = logistics(
        None,
        "Directory that the task starts in. Absent: the one that the run was started in.",
        why="It is where the task starts; what it computes stands elsewhere.",
    )
    paths: Paths = numerics(
        {},
        "Variables of a function or script whose values are paths of the node, such as another stage's output.",
        why="They say what the task reads, such as the weights that another stage made.",
    )
    checkpoint: Path | None = numerics(
        None,
        "Weights that an evaluation judges or an export writes: a checkpoint, or a run directory for its newest.",
        why="Other weights are judged or written.",
        only=OnlyFor(("evaluate", "export"), required=True),
    )
    format: Literal["auto", "huggingface", "safetensors"] = logistics(
        "auto",
        "What an export writes: a directory that transformers loads where it has such a model, or tensors only.",
        why="The same weights in other files.",
        only=_EXPORT,
    )
    dtype: Literal["fp32", "bf16", "fp16"] | None = numerics(
        None,
        "Precision of exported weights. Absent: that of training.",
        why="Weights of fewer bits are rounded when they are written.",
        only=_EXPORT,
    )
    uses_deepspeed: bool = logistics(
        False,
        "The task imports DeepSpeed, so that the node must have the target's.",
        why="It decides only what is looked for on the node.",
    )


class Checkpoint(Section):
    """When state is saved, and how much of it stays."""

    every_steps: Int = logistics(
        1000,
        "Optimizer steps between saves; 0 saves only at the end.",
        why="Saving changes no state: other steps are kept on disk.",
        unit="steps",
        ge=0,
    )
    every_epochs: Int = logistics(
        0,
        "The same in passes over the data; needs `data.max_train_samples`, and replaces `every_steps`.",
        why="Saving changes no state: other steps are kept on disk.",
        unit="epochs",
        ge=0,
    )
    keep_last: Int = logistics(
        3,
        "Newest checkpoints to keep; 0 keeps all.",
        why="It decides only which saves stay on disk.",
        unit="checkpoints",
        ge=0,
    )
    keep_best: Int = logistics(
        0,
        "Checkpoints of the lowest held-out loss to keep besides the newest; 0 keeps none.",
        why="It decides only which saves stay on disk.",
        unit="checkpoints",
        ge=0,
    )
    elastic: bool = logistics(
        False,
        "Convert a checkpoint of another number of ranks or another offload when a run resumes from it.",
        why="It allows to cut the same state otherwise.",
    )
    on_changed_numerics: Literal["refuse", "continue"] = logistics(
        "refuse",
        "What a resume does when values that change the loss curve are not those of the checkpoint.",
        why="It changes nothing itself: what then changes is compared by its own class.",
    )
    asynchronous: bool | None = logistics(
        None,
        "Write while training goes on.",
        why="The same state is written at another time.",
        later=Later("checkpoint", "leave it out; none of DeepSpeed's asynchronous writers saved on a CPU"),
    )


class Tracking(Section):
    """What is written while training. metrics.jsonl is written always."""

    log_every_steps: Int = logistics(
        10,
        "Steps between lines of metrics.jsonl.",
        why="It decides only which steps are written down.",
        unit="steps",
        gt=0,
    )
    log_level: Literal["debug", "info", "warning", "error"] = logistics(
        "info", "Least important messages shown.", why="It decides only what is shown."
    )
    csv: bool = logistics(
        False,
        "Write metrics.csv, below `tracking/` of the run directory.",
        why="It decides only where metrics are written.",
    )
    tensorboard: bool = logistics(
        False,
        "Write TensorBoard events, below `tracking/tensorboard`.",
        why="It decides only where metrics are written.",
    )
    wandb: Wandb = part(Wandb(), "Report to Weights & Biases; `true` is enough.")
    mlflow: Mlflow = part(Mlflow(), "Report to MLflow; `true` is enough.")


Metrics: TypeAlias = Annotated[tuple[Metric, ...], BeforeValidator(array_to_tuple)]


class Evaluation(Section):
    """Loss on held-out samples."""

    every_steps: Int = logistics(
        0,
        "Optimizer steps between evaluations; 0 never.",
        why="Evaluations watch the weights. Early stopping alone acts on them.",
        unit="steps",
        ge=0,
    )
    every_epochs: Int = logistics(
        0,
        "The same in passes over the data; needs `data.max_train_samples`, and replaces `every_steps`.",
        why="Evaluations watch the weights. Early stopping alone acts on them.",
        unit="epochs",
        ge=0,
    )
    micro_batch_size: Int | None = resources(
        None,
        "Samples per rank and pass. Absent: that of training.",
        why="It cuts what is judged: memory and speed. With `max_batches` it says how much that is; early stopping "
        "alone acts on it.",
        unit="samples",
        gt=0,
    )
    max_batches: Int = logistics(
        0,
        "Micro batches per rank in one evaluation; 0 is all.",
        why="Evaluations watch the weights. Early stopping alone acts on them.",
        unit="batches",
        ge=0,
    )
    at_end: bool = logistics(True, "Evaluate after the last step.", why="It watches weights that are trained no more.")
    metrics: Metrics = logistics(
        (), "Own numbers, averaged over the held-out samples of all ranks.", why="Nothing trains on these numbers."
    )


_PACKED = OnlyFor(("git", "files", "both"))
_OF_GIT = OnlyFor(("git", "both"))


class Package(Section):
    """Code of the project that the bundle carries to the node, where Python looks in it first."""

    kind: Literal["none", "git", "files", "both"] = logistics(
        "none",
        "What is packed: files that git has, as the commit has them; files that lie in the project; or the former "
        "and, besides, those that git does not know.",
        why="It decides how code travels; which code that is has a digest, which is compared.",
    )
    include: Texts = logistics(
        ("*.py",),
        "Patterns of what is packed, as in `data.sources`; a directory is all below it.",
        why="It decides what travels; the code has a digest, which is compared.",
        only=_PACKED,
    )
    exclude: Texts = logistics(
        (),
        "Patterns of what is not.",
        why="It decides what travels; the code has a digest, which is compared.",
        only=_PACKED,
    )
    subdirectory: Text = logistics(
        "",
        "Directory of the project that is packed and searched; empty is the project itself.",
        why="It decides what travels; the code has a digest, which is compared.",
        only=_PACKED,
    )
    dirty: Literal["refuse", "include"] = logistics(
        "refuse",
        "What happens to files that are not as committed: they are refused, or packed as they are, with a patch.",
        why="It allows code that is not committed; the code has a digest, which is compared.",
        only=_OF_GIT,
    )
    commit: Text | None = logistics(
        None,
        "Commit that is packed. Absent: the newest that changed what is packed.",
        why="It says where the code is from; the code has a digest, which is compared.",
        only=_OF_GIT,
    )
    repository: Text = logistics(
        "", "Where that commit can be had, for people; it is recorded.", why="It is recorded for people.", only=_OF_GIT
    )
    sha256: Text | None = numerics(
        None,
        "Digest of the archive; another one is refused. Absent: that of what is found.",
        why="Other code may compute anything.",
        only=_PACKED,
    )
