"""What to write instead of a value that is no path of the node."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cfgc.nearest import nearest
from cfgc.validate.values import toml_text

_VARIABLE = re.compile(r"(?:\$\{?([A-Za-z_]\w*)\}?|~)(?:/+(.*))?")
_BASES = ("env", "path", "stdlib")


def path_helps(name: object, value: object) -> tuple[str, ...]:
    """Lines to write for the key ``name``."""
    if name == "python":
        return ("write a name that is on the node's PATH, or an absolute path", _ELSEWHERE)
    if isinstance(value, Mapping):
        return _of_table(name, value)
    found = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    if found and ".." not in (found[2] or "").split("/"):
        return (f"write `{name} = {_table(found[1] or 'HOME', found[2])}`",)
    return _GENERAL


_ELSEWHERE = "or leave it out, and name the interpreter where the run starts: `PYTHON=~/venv/bin/python ./launch.sh`"

_GENERAL = (
    'write `"data"` for a path below the directory that the run starts in, or `"/abs/data"`',
    'write `{ env = "SCRATCH", path = "data" }` for one below the value of a variable',
)


def _table(variable: str, below: str | None) -> str:
    return f'{{ env = "{variable}"' + (f", path = {toml_text(below)}" if below else "") + " }"


def _of_table(name: object, table: Mapping[str, object]) -> tuple[str, ...]:
    strange = [key for key in table if key not in _BASES]
    close = nearest(strange[0], _BASES) if strange else None
    if close:
        meant = {close if key == strange[0] else key: inner for key, inner in table.items()}
        return (f"did you mean `{close}`? write `{name} = {toml_text(meant)}`",)
    return _GENERAL
