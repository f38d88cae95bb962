"""The specs that hostile strings are tried in: together they have a use for every place that has one."""

from __future__ import annotations

from tests.hostile_places import Place
from tests.hostile_specs import SLOT, Scene

OWN = """#!/bin/sh
def main(**given): ...
def model(**given): ...
def loss(outputs, batch, **given): ...
def data(split, **given): ...
def rule(groups, **given): ...
"""
"""``own.py``, which some of them name: it is only read."""

_CPU = {"overlays.hardware": '"cpu"', "experiment.name": '"t"'}
_TASK = {**_CPU, "task.inline": '"#!/bin/bash\\n"'}
_TRAINING = {
    **_CPU,
    "training.max_steps": "4",
    "training.global_batch_size": "2",
    "training.micro_batch_size": "2",
    "training.precision": '"fp32"',
    "deepspeed.raw.reason": '"measured"',
    "deepspeed.raw.dump_state": "true",
    "model.kind": '"huggingface"',
    "model.path": '"m"',
    "data.sequence_length": "8",
    "data.tokenizer.kind": '"transformers"',
    "data.tokenizer.path": '"t"',
}
_CHAT = {"data.sources": 'name = "texts", path = "texts", kind = "jsonl", format = "chat"'}
_TEXTS = {"data.sources": 'name = "texts", path = "texts"'}
_FORMATS = {"prompt_field": "prompt", "completion_field": "prompt", "messages_field": "chat"}
_SET = {"(value)": '"experiment.description"', "(inside)": '"experiment.tags"', "(inner key)": '"task.env"'}

SCENES = {
    "task": Scene(
        {**_TASK, "cluster.container.kind": '"pyxis"', "cluster.container.image": '"i"', "cluster.mail_user": '"me"'},
        keys={"checks.allow (value)": "CFG611"},
    ),
    "tables": Scene({**_TASK, "cluster.mail_user": '"me"'}, per=50),
    "container": Scene(
        {
            **_TASK,
            "cluster.container.kind": '"pyxis"',
            "cluster.container.image": '"i.sqsh"',
            "package.kind": '"files"',
        },
        {"cluster.container.mounts": {"source": f'"/d{SLOT}"', "target": f'"/m{SLOT}"'}},
        per=50,
    ),
    "gpus": Scene(
        {
            **_CPU,
            "overlays.hardware": '"a100-80gb"',
            "task.script": '"own.py"',
            "package.kind": '"files"',
            "cluster.container.kind": '"apptainer"',
            "cluster.container.image": '"i.sif"',
        }
    ),
    "partitions": Scene(_TASK, {"cluster.partitions": {"name": f'"p{SLOT}"'}}, per=50),
    "function": Scene({**_CPU, "task.target": '"own:main"'}, per=50),
    "evaluate": Scene(
        {
            **_TRAINING,
            "task.kind": '"evaluate"',
            "task.checkpoint": '"c"',
            "tracking.wandb.enabled": "true",
            "tracking.mlflow.enabled": "true",
            "env.required": '["WANDB_API_KEY"]',
        },
        always=_CHAT,
        keys={"deepspeed.raw (value)": "reason"},
    ),
    "sources": Scene(
        _TRAINING,
        {
            "data.sources": {"name": f'"s{SLOT}"', "path": '"text"'},
            "data.sources[].dataset_split": {"kind": '"huggingface"'},
            "data.sources[].field": {"kind": '"jsonl"'},
            **{f"data.sources[].{name}": {"kind": '"jsonl"', "format": f'"{of}"'} for name, of in _FORMATS.items()},
        },
        always=_CHAT,
        per=50,
    ),
    "config": Scene(
        {key: value for key, value in _TRAINING.items() if key != "model.path"} | {"model.config.model_type": '"gpt2"'},
        always=_TEXTS,
        per=50,
    ),
    "own": Scene(
        {
            **{key: value for key, value in _TRAINING.items() if key[:5] not in {"model", "data."}},
            "model.kind": '"target"',
            "model.target": '"own:model"',
            "training.loss.target": '"own:loss"',
            "training.optimizer.type": '"target"',
            "training.optimizer.target": '"own:rule"',
            "data.target": '"own:data"',
        },
        {
            "training.optimizer.groups": {"pattern": f'"g{SLOT}"', "weight_decay": "0.5"},
            "evaluation.metrics": {"name": f'"m{SLOT}"', "target": '"own:loss"'},
        },
        per=20,
    ),
    "sweep": Scene(
        {**_TASK, "sweep.method": '"grid"', 'sweep.parameters."task.env.A"': '["v"]'},
        keys={
            "sweep.parameters (value)": f'"task.env.V{SLOT}"',
            "sweep.parameters (inside)": f'"task.env.K{SLOT}"',
            "sweep.parameters (inner key)": f'"task.env.T{SLOT}"',
        },
        values={"sweep.parameters": '["v"]'},
        per=50,
    ),
    "points": Scene(
        {**_TASK, "sweep.method": '"list"'},
        always={"sweep.points": '"experiment.description" = "first"'},
        keys={f"sweep.points[] {form}": key for form, key in _SET.items()},
        per=20,
    ),
    "stages": Scene(
        _TASK,
        {"stages": {"name": f'"s{SLOT}"'}},
        always={"stages": 'name = "first"'},
        keys={f"stages[].set {form}": key for form, key in _SET.items()},
        per=10,
        grouped=True,
    ),
    "no stages": Scene(_TASK, {"stages": {"name": f'"s{SLOT}"'}}, always={"stages": 'name = "first"'}, per=50),
    "refused": Scene(
        {key: value for key, value in _TRAINING.items() if not key.startswith("deepspeed.raw")},
        {"data.sources": {"name": f'"s{SLOT}"', "path": '"text"'}, "cluster.partitions": {"name": f'"p{SLOT}"'}},
        always=_TEXTS,
        per=50,
    ),
}

_KEY_SET = {
    "value": Place("experiment.description", "text"),
    "inside": Place("experiment.tags", "item"),
    "inner key": Place("task.env", "key"),
}


def typed(place: Place) -> Place:
    """The place whose type judges the text in ``place``: that of the key that is set there."""
    return _KEY_SET.get(place.form, place) if place.path in {"sweep.points[]", "stages[].set"} else place


_NEVER = (
    *("package.commit", "package.repository", "package.sha256", "deepspeed.offload.", "checks.allow (key)"),
    *("deepspeed.raw (key)", "deepspeed.raw (inside)", "deepspeed.raw (inner key)"),
    *("task.target", "model.target", "data.target", "training.loss.target", "training.optimizer.target"),
)
"""Places in which no string of strange characters is any good, so that they stand in any spec.

``package.repository`` is of use only beside a commit of git: tests/unit/packing/test_git.py.
"""

_WHERE = {
    **dict.fromkeys(("task.arguments",), "function"),
    **dict.fromkeys(("task.script", "package.subdirectory", "package.exclude"), "gpus"),
    "package.include": "container",
    **dict.fromkeys(("task.checkpoint", "model.weights", "model.path", "data.tokenizer.path"), "evaluate"),
    **dict.fromkeys(("env.variables", "task.args", "task.env", "task.paths", "cluster.environment"), "tables"),
    "env.required": "partitions",  # where no table sets one of the variables, so that it is no more asked for
    **dict.fromkeys(("experiment.tags", "cluster.modules", "cluster.mail_type"), "tables"),
    **dict.fromkeys(("experiment.", "task.", "hardware.", "launch.", "checks."), "task"),
    **dict.fromkeys(("cluster.container.mounts",), "container"),
    **dict.fromkeys(("cluster.partitions",), "partitions"),
    **dict.fromkeys(("cluster.",), "task"),
    **dict.fromkeys(("model.config",), "config"),
    **dict.fromkeys(("model.arguments", "data.arguments", "training.", "evaluation.metrics"), "own"),
    **dict.fromkeys(("data.sources",), "sources"),
    **dict.fromkeys(("data.", "tracking.", "deepspeed.raw"), "evaluate"),
    **dict.fromkeys(("sweep.parameters",), "sweep"),
    **dict.fromkeys(("sweep.points",), "points"),
    **dict.fromkeys(("stages[].needs", "stages[].set (key)"), "no stages"),
    "stages": "stages",
}
"""The scene of the places that begin so; the first that fits."""


def scenes_of(place: Place) -> tuple[str, ...]:
    """The scenes that ``place`` is tried in. Raises LookupError for a place that none has a use for."""
    if place.choice or str(place).startswith(_NEVER):
        return ("refused",)
    found = next((scene for start, scene in _WHERE.items() if str(place).startswith(start)), None)
    if found is None:
        raise LookupError(f"{place}: in which spec of tests/hostile_scenes.py is it of use?")
    return (found, *_ALSO.get(place.path, ()))


_ALSO = {"cluster.container.image": ("gpus",), "cluster.gres": ("gpus",)}
"""What another kind of spec writes elsewhere."""

USELESS = ("refused", "sweep.parameters (value)", "sweep.parameters (inner key)")
"""Scenes, and places, where no string at all is any good."""

PLAIN = {
    "cluster.container.mounts[].target": "/plain",
    "tracking.mlflow.uri": "file:///plain",
    "evaluation.metrics[].target": "own:loss",
    "cluster.mail_type": "END",
    "stages[].needs": "first",
    **dict.fromkeys(("sweep.parameters (key)", "sweep.points[] (key)"), "experiment.description"),
    "stages[].set (key)": "experiment.description",
}
"""A word that nobody refuses, where ``plain`` is none."""


def plain_word(place: Place) -> str:
    """What can stand in ``place``."""
    return PLAIN.get(str(place)) or PLAIN.get(place.path, "plain")
