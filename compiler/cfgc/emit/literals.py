"""Values as Python source, laid out as ``ruff format`` would."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass

WIDTH = 120
_BIG = 100_000
_STEP = "    "


def expression_of(value: object, depth: int = 0, column: int = 0) -> str:
    """``value`` as an expression that starts at ``column`` of a line ``depth`` levels deep.

    Raises TypeError for what is no data.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return _call_of(value, depth)
    if isinstance(value, Mapping):
        return _tuple_of(tuple(sorted(value.items())), depth, column)
    if isinstance(value, tuple):
        return _tuple_of(value, depth, column)
    return _scalar_of(value)


def string_of(text: str) -> str:
    """A literal in double quotes, unless single ones need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(c, quote) for c in text) + quote


def _escaped(character: str, quote: str) -> str:
    if character in "'\"":
        return "\\" + character if character == quote else character
    return repr(character)[1:-1]


def _scalar_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= _BIG else str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        return string_of(value)
    raise TypeError(f"no literal for {value!r}")


def _call_of(value: object, depth: int) -> str:
    assert is_dataclass(value)
    held = {field.name: getattr(value, field.name) for field in fields(value)}
    arguments = (
        f"{name}={expression_of(one, depth + 1, len(_STEP) * (depth + 1) + len(name) + 1)}"
        for name, one in held.items()
    )
    return type(value).__name__ + _broken("()", arguments, depth)


def call_of(function: str, handed: Sequence[str], arguments: Mapping[str, object], depth: int, column: int) -> str:
    """``function(*handed, **arguments)`` that starts at ``column`` of a line ``depth`` levels deep."""
    flat = ", ".join([*handed, *(f"{name}={_flat_literal(value)}" for name, value in arguments.items())])
    call = f"{function}({flat})"
    if column + len(call) <= WIDTH:
        return call
    lines = list(handed)
    for name, value in arguments.items():
        lines.append(f"{name}={literal_of(value, depth + 1, len(_STEP) * (depth + 1) + len(name) + 1)}")
    return function + _broken("()", lines, depth)


def literal_of(value: object, depth: int, column: int) -> str:
    """A list, a dictionary or a scalar as Python writes it, on one line where it fits."""
    flat = _flat_literal(value)
    if not isinstance(value, (list, dict)) or not value or column + len(flat) < WIDTH:
        return flat
    inner = len(_STEP) * (depth + 1)
    if isinstance(value, list):
        return _broken("[]", (literal_of(item, depth + 1, inner) for item in value), depth)
    keys = [string_of(key) for key in value]
    values = (literal_of(v, depth + 1, inner + len(k) + 2) for k, v in zip(keys, value.values(), strict=True))
    return _broken("{}", (f"{key}: {one}" for key, one in zip(keys, values, strict=True)), depth)


def _flat_literal(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flat_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{string_of(key)}: {_flat_literal(item)}' for key, item in value.items())}}}"
    return _scalar_of(value)


def _tuple_of(items: Sequence[object], depth: int, column: int) -> str:
    values = [expression_of(item, depth + 1, len(_STEP) * (depth + 1)) for item in items]
    flat = f"({', '.join(values)}{',' * (len(values) == 1)})"
    return flat if "\n" not in flat and column + len(flat) < WIDTH else _broken("()", values, depth)


def _broken(brackets: str, items: Iterable[str], depth: int) -> str:
    """One item to a line between ``brackets``."""
    lines = "".join(f"{_STEP * (depth + 1)}{item},\n" for item in items)
    return f"{brackets[0]}\n{lines}{_STEP * depth}{brackets[1]}"
