"""The resolved spec, and what it becomes, in forms that other programs read."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, Final, Literal, TypeAlias

from cfgc.stages.layer import FOLDER

Form: TypeAlias = Literal["toml", "json", "yaml", "python", "deepspeed"]

FILES: Final[Mapping[Form, str]] = {
    "toml": "resolved.toml",
    "json": "resolved.toml",
    "yaml": "resolved.toml",
    "python": "config.py",
    "deepspeed": "ds_config.json",
}
"""The file of a bundle that holds what a form says."""

_HOLE = re.compile(r"(\\*)\$\{")
_FLOAT = re.compile(r"[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.[\d_]+)[eE][-+]?\d+$")
"""Numbers of OmegaConf that are text in YAML 1.1: ``1e5``."""


class NoSuchFormError(Exception):
    """The bundle has nothing of this form; its text says why."""


def in_form(files: Mapping[PurePosixPath, bytes], form: Form) -> str:
    """What the bundle of ``files`` says, in ``form``, a newline at the end; of a pipeline, that of each stage.

    Text is written so that its own reader gives it back: ``${`` is ``$${`` in TOML, for cfgc, and ``\\${`` in YAML, for
    OmegaConf. Of a sweep, all is that of point 0. Raises ``NoSuchFormError``, and ImportError for YAML without PyYAML.
    """
    name = FILES[form]
    whole = files.get(PurePosixPath(name))
    stages = {path.parts[1]: data.decode() for path, data in files.items() if _is_of_a_stage(path, name)}
    if whole is None and not stages:
        raise NoSuchFormError("this is a task: nothing that it says is for DeepSpeed")
    if form in ("toml", "python"):
        return whole.decode() if whole else "\n".join(f"# stage {stage}\n\n{text}" for stage, text in stages.items())
    read: Callable[[str], Any] = json.loads if form == "deepspeed" else _values
    tree = read(whole.decode()) if whole else {FOLDER: {stage: read(text) for stage, text in stages.items()}}
    return _yaml(tree) if form == "yaml" else json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def _is_of_a_stage(path: PurePosixPath, name: str) -> bool:
    return path.parts[:1] == (FOLDER,) and path.parts[2:] == (name,)


def _values(toml: str) -> Any:
    return _each_text(tomllib.loads(toml), lambda text: text.replace("$${", "${"))


def _yaml(tree: object) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes what OmegaConf takes for a number."""

    Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
    escaped = _each_text(tree, lambda text: _HOLE.sub(lambda found: found[1] * 2 + "\\${", text))
    return str(yaml.dump(escaped, Dumper=Dumper, sort_keys=False, allow_unicode=True))


def _each_text(value: object, change: Callable[[str], str]) -> object:
    """``value`` with every text in it changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    return {key: _each_text(item, change) for key, item in value.items()} if isinstance(value, dict) else value
