"""Value types of the schema: what TOML can hold becomes one Python type each."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from cfgc.schema.field import Section, part
from cfgc.schema.units import parse_duration, parse_size

STAGE = "stage:"
"""How the path of another stage's output begins."""
OUTPUTS = {
    "run_dir": ("stage", ""),
    "checkpoint": ("checkpoint", ""),
    "model": ("stage", "model"),
    "results": ("stage", "evaluation.json"),
}
"""What stages give to others: the base of its path, and the place below the stage's run directory."""

LARGEST = 2**63 - 1
"""The largest integer that TOML promises to carry."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./&|*\[\]()!-]*")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_EXPANDED = re.compile(r"\$[A-Za-z_{(]|`")
"""What a shell would replace."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _integral(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) > LARGEST:
        raise PydanticCustomError("too_large", "more than 64 bits")
    return value


def array_to_tuple(value: object) -> object:
    """A TOML array as a tuple; anything else as it is, for pydantic to refuse."""
    return tuple(value) if isinstance(value, list) else value


def _stage(value: object) -> object:
    return str(value) if isinstance(value, bool) else _integral(value)


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return _integral(value)
    seconds = parse_duration(value)
    if seconds is None:
        raise PydanticCustomError("duration", "not a duration")
    return seconds


def _size(value: object) -> object:
    if not isinstance(value, str):
        return _integral(value)
    size = parse_size(value)
    if size is None:
        raise PydanticCustomError("size", "not a size")
    return size


def _plain(value: str) -> str:
    found = _CONTROL.search(value)
    if found:
        raise PydanticCustomError("control_character", "control character", {"character": repr(found.group())})
    return value


def _word(value: str) -> str:
    if not _WORD.fullmatch(value) or value.startswith("-"):
        raise PydanticCustomError("word", "not a single plain word")
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value) or value.endswith("."):
        raise PydanticCustomError("name", "not a safe directory name")
    return value


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise PydanticCustomError("variable", "not a name of an environment variable")
    return value


Int: TypeAlias = Annotated[int, BeforeValidator(_integral)]
"""An integer; an integral float (``5e8``) is one too."""

Text: TypeAlias = Annotated[str, AfterValidator(_plain)]
"""One line of text, without control characters."""

Word: TypeAlias = Annotated[str, AfterValidator(_word)]
"""Text that is safe as an ``#SBATCH`` value: no space, quote, dollar or backslash, no leading dash."""

Name: TypeAlias = Annotated[str, AfterValidator(_name)]
"""A directory name: letters, digits, ``_ . -``, at most 64, no leading dash or dot."""

Variable: TypeAlias = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable."""

Texts: TypeAlias = Annotated[tuple[Text, ...], BeforeValidator(array_to_tuple)]
Words: TypeAlias = Annotated[tuple[Word, ...], BeforeValidator(array_to_tuple)]
Variables: TypeAlias = Annotated[tuple[Variable, ...], BeforeValidator(array_to_tuple)]

Stage: TypeAlias = Annotated[Literal[0, 1, 2, 3], BeforeValidator(_stage)]
"""A ZeRO stage."""

Op: TypeAlias = Literal[
    "async_io", "cpu_adagrad", "cpu_adam", "cpu_lion", "fused_adam", "fused_lamb", "fused_lion", "quantizer"
]
"""DeepSpeed's name of something that it compiles."""

Ops: TypeAlias = Annotated[tuple[Op, ...], BeforeValidator(array_to_tuple)]

Ints: TypeAlias = Annotated[tuple[Int, ...], BeforeValidator(array_to_tuple)]
Pair: TypeAlias = Annotated[tuple[float, float], BeforeValidator(array_to_tuple)]
"""Two numbers."""

Duration: TypeAlias = Annotated[int, BeforeValidator(_duration)]
"""Seconds; written ``"24:00:00"``, ``"1-12:00:00"``, ``"90min"``, ``"30s"`` or as a number of seconds."""

ByteSize: TypeAlias = Annotated[int, BeforeValidator(_size)]
"""Bytes; written ``"80GiB"``, ``"64GB"`` or as a number of bytes."""


class NodePath(Section):
    """A path on the node: expanded there, never by the compiler."""

    base: Literal["cwd", "absolute", "env", "stdlib", "stage", "checkpoint"] = part("cwd", "What the path is below.")
    name: str = part("", "The environment variable or the stage, when the base is one.")
    path: Text = part(".", "Path below the base; `.` is the base itself.")


def _node_path(value: object) -> object:
    if isinstance(value, str) and value.startswith(STAGE):
        return _of_a_stage(value)
    if isinstance(value, str):
        return {"base": "absolute" if value.startswith("/") else "cwd", "path": _below(value)}
    if isinstance(value, dict):
        return _path_table(value)
    raise PydanticCustomError("node_path", "not a path")


def _of_a_stage(text: str) -> dict[str, str]:
    """``stage:pretrain:run_dir/metrics.jsonl``, which is what ``${stages.pretrain.run_dir}`` becomes."""
    stage, _, rest = text.removeprefix(STAGE).partition(":")
    output, _, path = rest.partition("/")
    if not _NAME.fullmatch(stage) or output not in OUTPUTS:
        raise PydanticCustomError("node_path", "an output of a stage is named as `${stages.NAME.OUTPUT}`")
    base, inside = OUTPUTS[output]
    below = "/".join(part for part in (inside, path) if part) or "."
    return {"base": base, "name": stage, "path": _below(below)}


def _path_table(table: dict[str, Any]) -> dict[str, str]:
    path = table.get("path", ".")
    keys = set(table) - {"path"}
    if not isinstance(path, str) or path.startswith("/"):
        raise PydanticCustomError("node_path", "the path below a base is relative")
    if keys == {"env"} and isinstance(table["env"], str):
        return {"base": "env", "name": _variable(table["env"]), "path": _below(path)}
    if keys == {"stdlib"} and table["stdlib"] is True:
        return {"base": "stdlib", "path": _below(path)}
    if len(keys) > 1 or keys - {"env", "stdlib"}:
        raise PydanticCustomError("node_path", "a table has `env` or `stdlib`, and `path`")
    raise PydanticCustomError("node_path", "`env` is the name of a variable, and `stdlib` is true")


def _below(path: str) -> str:
    _literal(path)
    if not path or ".." in path.split("/"):
        raise PydanticCustomError("node_path", "empty, or leads out of its base")
    return path


def _literal(path: str) -> str:
    if path.startswith("~"):
        raise PydanticCustomError("node_path", "no shell expands `~` here")
    if _EXPANDED.search(path):
        raise PydanticCustomError("node_path", "no shell expands `$` here")
    return path


def _writable(path: NodePath) -> NodePath:
    if path.base == "stdlib":
        raise PydanticCustomError("node_path", "the interpreter's own library is no place to write")
    if path.base in ("stage", "checkpoint"):
        raise PydanticCustomError("node_path", "what a stage has written is no place for others to write")
    return path


Path: TypeAlias = Annotated[NodePath, BeforeValidator(_node_path)]
"""``"data"`` (below the start), ``"/abs"``, ``{ env = "SCRATCH", path = "runs" }`` or ``{ stdlib = true }``."""

Program: TypeAlias = Annotated[Text, AfterValidator(_literal)]
"""A program of the node: a name on its PATH, or a path."""

WritablePath: TypeAlias = Annotated[Path, AfterValidator(_writable)]
"""A path that the run writes to."""
