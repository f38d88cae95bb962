"""Every field that holds text: a hostile string is refused with its place, or it is in the bundle as it is."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from cfgc.diagnostics import Rejected
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.schema.catalogue import SchemaField, schema_fields
from cfgc.schema.values import NodePath
from tests.hostile import as_toml, hostile_strings

COMPILED = 160
SHAPES: Mapping[str, Any] = {"text": lambda text: text, "list": lambda text: (text,), "table": lambda text: {"K": text}}


def adapter(field: SchemaField) -> TypeAdapter[Any]:
    annotation: Any = field.info.annotation
    return TypeAdapter(Annotated[(annotation, *field.info.metadata)] if field.info.metadata else annotation)


def shape_of(field: SchemaField) -> str | None:
    """How the field holds any text; None when it holds none, or one of a few words."""
    kind = adapter(field)
    for shape, wrap in SHAPES.items():
        try:
            kind.validate_python(wrap("abc"))
        except ValidationError:
            continue
        return shape
    return None


FIELDS = {field.dotted: shape for field in schema_fields().values() if (shape := shape_of(field))}


def test_a_field_of_any_type_keeps_what_it_does_not_refuse() -> None:
    kept = refused = 0
    for dotted, shape in FIELDS.items():
        kind = adapter(schema_fields()[tuple(dotted.split("."))])
        for text in hostile_strings():
            given = SHAPES[shape](text)
            try:
                value = kind.validate_python(given)
            except ValidationError:
                refused += 1
                continue
            kept += 1
            assert said_by(value) == given, (dotted, text)
    assert kept > 5_000
    assert refused > 5_000


def said_by(value: Any) -> Any:
    """What a spec would say for a checked value."""
    if isinstance(value, NodePath):
        return value.path
    return {key: said_by(inner) for key, inner in value.items()} if isinstance(value, dict) else value


TASK = (
    *("experiment.description", "experiment.tags", "env.variables", "task.args", "task.env", "task.working_directory"),
    *("task.paths", "task.inline", "hardware.name", "launch.run_dir", "launch.python", "launch.ops_cache"),
    *("cluster.name", "cluster.partition", "cluster.account", "cluster.qos", "cluster.reservation"),
    *("cluster.constraint", "cluster.exclude", "cluster.modules", "cluster.environment", "cluster.scratch"),
    *("cluster.log_dir", "cluster.network_interface", "experiment.name"),
)
"""Fields of a task that can all be said at once."""

TRAINING = (
    *("data.tokenizer.path", "data.tokenizer.end_token", "data.tokenizer.pad_token", "tracking.wandb.project"),
    *("tracking.wandb.entity", "tracking.wandb.group", "tracking.wandb.name", "tracking.mlflow.experiment"),
    *("tracking.mlflow.name", "experiment.description", "hardware.name"),
)

FIXED = {
    "task": ('task.kind = "script"', 'overlays.hardware = "cpu"'),
    "training": (
        *('overlays.hardware = "cpu"', 'experiment.name = "t"', "training.max_steps = 4", "training.warmup_steps = 0"),
        *("training.global_batch_size = 2", "training.micro_batch_size = 2", 'training.precision = "fp32"'),
        *("model.hidden_size = 8", "model.num_layers = 1", "model.num_heads = 2", "model.vocab_size = 257"),
        *("model.max_sequence_length = 8", "data.sequence_length = 8", 'data.tokenizer.kind = "tokenizers"'),
        *("tracking.wandb.enabled = true", "tracking.mlflow.enabled = true", "training.learning_rate = 1e-3"),
        'env.required = ["WANDB_API_KEY"]',
    ),
}


NEEDED = {
    "task": {"experiment.name": '"t"', "task.inline": '"#!/bin/bash\\n"'},
    "training": {"data.tokenizer.path": '"tokenizer.json"'},
}
"""What a spec says when no hostile string can stand there."""


def spec_of(kind: str, fields: Mapping[str, str]) -> str:
    lines = [f"{dotted} = {written(FIELDS[dotted], text)}" for dotted, text in fields.items()]
    sources = '[[data.sources]]\nname = "a"\npath = "text"\n' if kind == "training" else ""
    lines += [f"{dotted} = {value}" for dotted, value in NEEDED[kind].items() if dotted not in fields]
    return "\n".join([*lines, *FIXED[kind], sources]) + "\n"


def written(shape: str, text: str) -> str:
    return {"text": "{}", "list": "[{}]", "table": "{{ K = {} }}"}[shape].format(as_toml(text))


def compiled(kind: str, wanted: tuple[str, ...], text: str, folder: Path) -> tuple[Any, dict[str, str]]:
    """The bundle with ``text`` in every field that takes it; a field is left out when a finding points at it."""
    fields = dict.fromkeys(wanted, text)
    while True:
        spec = spec_of(kind, fields)
        try:
            return compile_spec(
                MemoryReader({"s.toml": spec}, DiskReader(folder, shipped_dir("specs"))), "s.toml"
            ), fields
        except Rejected as rejected:
            names = list(fields)
            errors = [one for one in rejected.diagnostics if one.severity == "error"]
            places = [label for one in errors for label in (one.primary, *one.secondary) if label]
            lines = {label.span.line for label in places if label.span.source.logical == "s.toml"}
            to_drop = {names[line - 1] for line in lines if line <= len(names)}
            assert to_drop, (text, errors)
            fields = {name: said for name, said in fields.items() if name not in to_drop}


def values_in(value: object) -> Iterator[str]:
    """All texts in the objects of config.py."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from values_in(inner)
    elif not callable(value):
        for name in getattr(type(value), "__annotations__", ()):
            yield from values_in(getattr(value, name))


def resolved(bundle: Any, dotted: str) -> object:
    found: Any = tomllib.loads(text_of(bundle, "resolved.toml"))
    for key in dotted.split("."):
        found = found[key]
    return found


def text_of(bundle: Any, name: str) -> str:
    return next(data for path, data in bundle.files.items() if str(path) == name).decode()


RECORDER = """#!/bin/bash
[[ $3 == stage ]] && printf '%s\\0' "${@: -1}" "${K-}" >"$RECORD"
exit 0
"""


def check_launch(script: str, accepted: Mapping[str, str], folder: Path) -> None:
    """A real bash starts Python with the run directory and the variable as they are in the spec."""
    for name, content in (("launch.sh", script), ("python", RECORDER)):
        (folder / name).write_text(content)
    (folder / "python").chmod(0o755)
    given = {"PATH": os.environ["PATH"], "PYTHON": str(folder / "python"), "RECORD": str(folder / "record")}
    subprocess.run(["bash", folder / "launch.sh"], cwd=folder, env=given, check=True)
    run_dir, variable = (folder / "record").read_bytes().decode().split("\0")[:2]
    tables = [name for name in ("cluster.environment", "env.variables") if name in accepted]  # the second one wins
    assert variable == (accepted[tables[-1]] if tables else "")
    if said := accepted.get("launch.run_dir"):
        assert run_dir == (said if said.startswith("/") else f"{folder}/{said}" if said != "." else str(folder))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "fields"), [("task", TASK), ("training", TRAINING)])
def test_a_string_is_refused_with_its_place_or_is_in_the_bundle(
    kind: str, fields: tuple[str, ...], tmp_path: Path
) -> None:
    """All fields at once; what is refused is left out, and the rest compiles, with every script valid.

    The strings that somebody thought of, and some mixtures; the types see all others above.
    """
    kept = dict.fromkeys(fields, 0)
    for text in hostile_strings()[:COMPILED]:
        bundle, accepted = compiled(kind, fields, text, tmp_path)
        for dotted in accepted:
            kept[dotted] += 1
            said = resolved(bundle, dotted)
            expected = SHAPES[FIELDS[dotted]](text.replace("${", "$${"))
            assert said == (list(expected) if isinstance(expected, tuple) else expected), (dotted, text)
        module: dict[str, Any] = {}
        exec(text_of(bundle, "config.py"), module)
        for dotted in {"experiment.description", "task.args", "tracking.wandb.group"} & set(accepted):
            assert text in set(values_in(tuple(module.values()))), (dotted, text)
        subprocess.run(["bash", "-n"], input=text_of(bundle, "job.sbatch").encode(), check=True)
        if kind == "task":
            check_launch(text_of(bundle, "launch.sh"), accepted, tmp_path)
    assert min(kept.values()) > 0, kept
    assert kept["experiment.description"] > COMPILED / 2
