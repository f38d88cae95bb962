"""A TOML value in words and as TOML."""

from __future__ import annotations

import json
from typing import Any


def short_text(value: Any) -> str:
    """What stands there, shortened when it is long."""
    text = toml_text(value)
    return text if len(text) <= 60 else text[:57] + "…"


def found_text(value: Any) -> str:
    """What stands there: ``the text "4"``, ``the number 4.5``, ``an array``, ``a table``."""
    if isinstance(value, bool):
        return f"`{short_text(value)}`"
    if isinstance(value, str):
        return f"the text {short_text(value)}"
    if isinstance(value, int | float):
        return f"the number {short_text(value)}"
    if isinstance(value, list):
        return "an array"
    return "a table" if isinstance(value, dict) else "a date or time"


def toml_text(value: Any) -> str:
    """The value as it would be written in a spec, whole: what is to be written can be pasted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_text(item) for item in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_text(item)}" for key, item in value.items()) + " }"
    return str(value)
