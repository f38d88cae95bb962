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
        mended, misspelt = _mended(value)
        lead = f"did you mean `{misspelt}`? " if misspelt else ""
        return (f"{lead}write `{name} = {toml_text(mended)}`", *(() if misspelt else _GENERAL))
    found = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    if found and ".." not in (found[2] or "").split("/"):
        return (f"write `{name} = {_table(found[1] or 'HOME', found[2])}`",)
    return (f"write `{name} = {toml_text(_text_in(value) or _plain_path(name))}`", *_GENERAL)


def culprit(value: object) -> tuple[str, ...]:
    """The key of a table that is wrong in it; nothing for any other value, and a table that lacks one."""
    if not isinstance(value, Mapping):
        return ()
    wrong = [key for key in value if key not in _BASES]
    wrong += [key for key in _BASES if key in value and not _is_good(key, value[key])]
    wrong += _bases_in(value)[1:]
    return (wrong[0],) if wrong else ()


def _bases_in(table: Mapping[str, object]) -> list[str]:
    """What the path is below, of which there is one."""
    return [key for key in table if key in ("env", "stdlib")]


def _is_good(key: str, value: object) -> bool:
    if key == "stdlib":
        return value is True
    if not isinstance(value, str) or not value:
        return False
    return bool(_NAME.fullmatch(value)) if key == "env" else not value.startswith(("/", "~")) and ".." not in value


_NAME = re.compile(r"[A-Za-z_]\w*")

_ELSEWHERE = "or leave it out, and name the interpreter where the run starts: `PYTHON=~/venv/bin/python ./launch.sh`"

_GENERAL = (
    'write `"data"` for a path below the directory that the run starts in, or `"/abs/data"`',
    'write `{ env = "SCRATCH", path = "data" }` for one below the value of a variable',
)


def _table(variable: str, below: str | None) -> str:
    return f'{{ env = "{variable}"' + (f", path = {toml_text(below)}" if below else "") + " }"


def _mended(table: Mapping[str, object]) -> tuple[object, str]:
    """The table put right, as a plain path where no base is left; and the key that was misspelt, by its name here."""
    strange = next((key for key in table if key not in _BASES), "")
    close = nearest(strange, [base for base in _BASES if base not in table]) if strange else None
    meant = {close if key == strange and close else key: value for key, value in table.items()}
    path = _text_in(meant.get("path"))
    mended: dict[str, object] = {}
    good = [base for base in _bases_in(meant) if _is_good(base, meant[base])]
    if good:
        mended[good[0]] = True if good[0] == "stdlib" else meant["env"]
    if not mended:
        return path or "data", close or ""
    below = path.lstrip("/") if path and ".." not in path.split("/") else ""
    return {**mended, **({"path": below} if below else {})}, close or ""


def _text_in(value: object) -> str:
    """The text that ``value`` is or holds; empty for none that is a path."""
    while isinstance(value, Mapping | list) and len(value) == 1:
        value = next(iter(value.values() if isinstance(value, Mapping) else value))
    plain = isinstance(value, str) and not set("~$`") & set(value) and ".." not in value.split("/")
    return str(value) if plain else ""


def _plain_path(name: object) -> str:
    return "runs" if name == "run_dir" else "data"
