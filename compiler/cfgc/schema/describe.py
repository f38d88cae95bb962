"""A field in a few words, for people: ``float, > 0, in steps``."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen

from cfgc.schema import values
from cfgc.schema.catalogue import SchemaField

_NAMED: tuple[tuple[Any, str], ...] = (
    (values.Int, "integer"),
    (values.Duration, "duration"),
    (values.ByteSize, "size in bytes"),
    (values.Pair, "two numbers"),
    (values.Texts, "array of strings"),
    (values.Ints, "array of integers"),
    (values.Words, "array of words"),
    (values.Variables, "array of variable names"),
    (values.Text, "string"),
    (values.Word, "word"),
    (values.Name, "name"),
    (values.Variable, "variable name"),
)
_UNITLESS = {"ratio", "rate", "seed", "stage", "port", "probability", "loss", "exponent"}
"""Units that say nothing more than the key's own name does."""

_SHOWN_CHOICES = 12
"""Of a longer row, such as releases, the first and the last say as much."""

_PLAIN = {int: "integer", float: "float", bool: "boolean", str: "string"}
_SIGNS = ((Ge, "≥", "ge"), (Gt, ">", "gt"), (Le, "≤", "le"), (Lt, "<", "lt"))


def describe_type(field: SchemaField) -> str:
    """Type, range and unit; the choices of an enumeration."""
    parts = [_type(field.info.annotation, tuple(field.info.metadata)), *_limits(field.info.metadata)]
    if field.meta.unit and field.meta.unit not in _UNITLESS:
        parts.append(f"in {field.meta.unit}")
    return ", ".join(parts)


def _type(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    for alias, name in _NAMED:
        if annotation == alias or _same(alias, annotation, metadata):
            return name
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(part) for part in get_args(annotation) if part is not NoneType))
    if origin is Literal:
        choices = [repr(choice).replace("'", '"') for choice in get_args(annotation)]
        return " | ".join(choices) if len(choices) <= _SHOWN_CHOICES else f"{choices[0]} … {choices[-1]}"
    return _type(get_args(annotation)[0]) if origin is Annotated else _simple(annotation, origin)


def _simple(annotation: Any, origin: Any) -> str:
    if tuple in (annotation, origin):
        return "array"
    is_path = getattr(annotation, "__name__", "") == "NodePath"
    return _PLAIN.get(annotation, "path on the node" if is_path else "table")


def _same(alias: Any, annotation: Any, metadata: tuple[Any, ...]) -> bool:
    if get_origin(alias) is not Annotated:
        return False
    base, *marks = get_args(alias)
    return base == annotation and bool(marks) and all(mark in metadata for mark in marks)


def _limits(metadata: list[Any]) -> list[str]:
    found = [f"{sign} {getattr(m, name)}" for kind, sign, name in _SIGNS for m in metadata if isinstance(m, kind)]
    found += [f"at least {m.min_length}" for m in metadata if isinstance(m, MinLen) and m.min_length]
    return found + [f"at most {m.max_length}" for m in metadata if isinstance(m, MaxLen)]
