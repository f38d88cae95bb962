"""The class of every key of ds_config, and why: ``classes.toml`` beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from cfgc.deepspeed.config import Path
from cfgc.effects import Classed, FieldClass

UNKNOWN = Classed("numerics", "It is not known, and may change anything.")
_KINDS: tuple[FieldClass, ...] = ("numerics", "resources", "logistics")
_BELOW = ".*"
_SAME = "same"


def class_of_key(path: Path) -> Classed:
    """The class of the key at ``path``: that of its own line, or of the nearest table that has one for its keys."""
    dotted = ".".join(_named(path))
    names = (dotted, *(f"{dotted[:end]}{_BELOW}" for end in _ends(dotted)))
    return next((found for name in names if (found := lines().get(name))), UNKNOWN)


@cache
def lines() -> Mapping[str, Classed]:
    """The lines of the table, those for a table and its keys with ``.*``."""
    return {name: Classed(kind, why) for kind in _KINDS for name, why in _flat(_table()[kind], "")}


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(FilePath(__file__).with_name("classes.toml").read_text("utf-8"))


def _flat(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, found in table.items():
        if isinstance(found, str):
            yield above + name, found
        else:
            yield from _flat(found, f"{above}{name}.")


def _named(path: Path) -> Path:
    """``path`` with another name of a key or table replaced by the one that the table has."""
    for end in range(len(path), 0, -1):
        if same := _table()[_SAME].get(".".join(path[:end])):
            return (*same.split("."), *path[end:])
    return path


def _ends(dotted: str) -> Iterator[int]:
    """Where the names of the key and of the tables above it end, innermost first."""
    yield len(dotted)
    yield from (place for place in range(len(dotted) - 1, -1, -1) if dotted[place] == ".")
