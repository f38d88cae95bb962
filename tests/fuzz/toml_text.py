"""Trees as TOML, also such trees as no spec has."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.fuzz.mutate import change_tree


def change_toml(random: Random, text: str) -> str | None:
    """The TOML ``text`` with its tree changed; None when it is none."""
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    changed = change_tree(random, tree)
    return toml_text(changed) if isinstance(changed, dict) else f"x = {_value(changed)}\n"


def toml_text(tree: dict[str, Any]) -> str:
    """``tree`` as sections of its top-level tables."""
    return "".join(_lines(tree))


def _lines(tree: dict[str, Any]) -> Iterator[str]:
    for key, value in tree.items():
        if not isinstance(value, dict):
            yield f"{_key(key)} = {_value(value)}\n"
    for key, value in tree.items():
        if isinstance(value, dict):
            yield f"[{_key(key)}]\n"
            yield from (f"{_key(inner)} = {_value(below)}\n" for inner, below in value.items())


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "a").replace("-", "a").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(str(key))} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    return str(value)
