"""Keys and values as TOML, as a person would write them."""

from __future__ import annotations

import json
from datetime import date, time
from typing import Any

from cfgc.fixing.tree import CannotEditError, Location
from cfgc.origin import dotted


def toml_value(value: Any) -> str:
    """``value`` on one line. Raises ``CannotEditError`` for what TOML does not have."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{toml_key((key,))} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    raise CannotEditError(f"TOML has no {type(value).__name__}")


def toml_key(path: Location) -> str:
    """A dotted key. Raises ``CannotEditError`` for a position in an array."""
    if not all(isinstance(part, str) for part in path):
        raise CannotEditError("an element of an array has no name")
    return dotted(tuple(str(part) for part in path))


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
