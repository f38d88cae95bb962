"""Values of every kind to try on a key, and what a table's entry says of each."""

from __future__ import annotations

from typing import Any

from cfgc.deepspeed.table import Key

PROBES: tuple[Any, ...] = (
    *(None, True, False),
    *(0, 1, 2, 3, 7, -1, 10**9, 0.5, 1.0, -0.5, 1.5),
    *("1", "0.5", "true", "none", "cpu", "cfgc text", ""),
    *([], ["cfgc text"], [1], {}, {"cfgc_key_of_nobody": 1}),
)
TRUE_OR_FALSE = frozenset({"true", "false", "1", "0", "on", "off", "yes", "no", "t", "f", "y", "n"})


def says(key: Key, value: Any) -> bool:
    """Whether a key of a model takes a value, by the table; models pass over ``auto``."""
    return value == "auto" or any(_within(key, form) for form in _converted(key, value))


def _converted(key: Key, value: Any) -> list[Any]:
    """The value as pydantic's lax mode may read it for the key's kinds."""
    if value is None or isinstance(value, list | dict):
        kind = {type(None): "null", list: "array", dict: "table"}[type(value)]
        return [value] if kind in key.kinds else []
    if isinstance(value, bool):
        if "bool" in key.kinds:
            return [value]
        return [int(value)] if "int" in key.kinds and "bool" not in key.rejects else []
    found: list[Any] = []
    if isinstance(value, str):
        if "str" in key.kinds:
            return [value]
        if "bool" in key.kinds and value.lower() in TRUE_OR_FALSE:
            found.append(value.lower() in {"true", "1", "on", "yes", "t", "y"})
        if "int" in key.kinds:
            found += [number for number in _numbers(value) if "float" in key.kinds or number == int(number)]
        return found
    if "float" in key.kinds or ("int" in key.kinds and value == int(value)):
        found.append(value)
    if "bool" in key.kinds and value in {0, 1}:
        found.append(bool(value))
    return found


def _numbers(text: str) -> list[float]:
    try:
        return [float(text)]
    except ValueError:
        return []


def _within(key: Key, value: Any) -> bool:
    if isinstance(value, list):
        return all(_member(key, one) for one in value)
    same = [choice for choice in key.choices if _alike(choice, value)]
    if same and value not in same:
        return False
    if isinstance(value, bool | str | dict) or value is None:
        return True
    return (
        (key.minimum is None or value >= key.minimum)
        and (key.maximum is None or value <= key.maximum)
        and (key.above is None or value > key.above)
        and (key.below is None or value < key.below)
    )


def _member(key: Key, value: Any) -> bool:
    kind = {str: "str", int: "int"}.get(type(value), "table")
    return (not key.items or kind in key.items) and (not key.choices or value in key.choices)


def _alike(one: Any, other: Any) -> bool:
    numbers = (int, float)
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    return type(one) is type(other) or (isinstance(one, numbers) and isinstance(other, numbers))


def other_value(key: Key) -> Any:
    """A value that the key takes and that is not its default; None when there is none to think of."""
    folded = key.default.casefold() if isinstance(key.default, str) else key.default
    for choice in key.choices:
        if not isinstance(choice, str) or choice.casefold() != folded:
            return choice
    if "bool" in key.kinds:
        return key.default is not True
    if "int" in key.kinds:
        return (key.default if isinstance(key.default, int) else 0) + 3 if key.default is not None else 3
    if "str" in key.kinds:
        return "cfgc text"
    return ["cfgc text"] if "array" in key.kinds else None
