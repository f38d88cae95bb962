"""A field's range and choices, in signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_KEEPS: Mapping[str, Callable[[float, float], bool]] = {"gt": gt, "ge": ge, "lt": lt, "le": le}
_SIGNS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def limits_of(info: FieldInfo) -> str:
    """``≥ 0 and < 1``; empty when every number is allowed."""
    found = [
        f"{sign} {_plain(getattr(mark, name))}"
        for name, sign in _SIGNS
        for mark in info.metadata
        if getattr(mark, name, None) is not None
    ]
    return " and ".join(found)


def nearest_allowed(info: FieldInfo, value: float) -> str:
    """The allowed number nearest to ``value``, as TOML; empty when there is none, as just above 0 for a float."""
    marks = [(name, getattr(mark, name, None)) for name, _ in _SIGNS for mark in info.metadata]
    bounds = {name: limit for name, limit in marks if limit is not None}
    if "ge" in bounds and value < bounds["ge"]:
        return f"{bounds['ge']}"
    if "le" in bounds and value > bounds["le"]:
        return f"{bounds['le']}"
    if not _is_whole(info.annotation):
        return ""
    return f"{bounds['gt'] + 1}" if value <= bounds.get("gt", -1) else f"{bounds['lt'] - 1}" if "lt" in bounds else ""


def allows(info: FieldInfo, value: float) -> bool:
    """Whether ``value`` is in the field's range."""
    limits = [(name, getattr(mark, name, None)) for name, _ in _SIGNS for mark in info.metadata]
    return all(_KEEPS[name](value, limit) for name, limit in limits if limit is not None)


def _is_whole(annotation: Any) -> bool:
    return annotation is int or any(_is_whole(part) for part in get_args(annotation))


def _plain(number: float) -> str:
    return f"{int(number):,}" if float(number).is_integer() else f"{number:g}"


def choices_of(info: FieldInfo) -> tuple[object, ...]:
    """The values of an enumeration; empty for any other field."""
    return _choices(info.annotation)


def _choices(annotation: Any) -> tuple[object, ...]:
    origin = get_origin(annotation)
    if origin is Literal:
        return get_args(annotation)
    if origin in (Union, UnionType, Annotated):
        return next((found for part in get_args(annotation) if (found := _choices(part))), ())
    return ()
