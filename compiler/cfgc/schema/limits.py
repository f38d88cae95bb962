"""A field's range and choices, in signs."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

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
