"""Every place of a spec that can hold text, read off the schema, so that none can be forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from cfgc.schema.field import Section
from cfgc.schema.lookup import field_at
from cfgc.schema.spec import Spec
from cfgc.schema.values import NodePath

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

AMOUNTS = ("1h", "1GiB")
"""A number that may be written as one of these can be written as text."""


@dataclass(frozen=True)
class Place:
    """Where text stands: ``data.sources[].name``, and how.

    ``form``: the ``text`` itself, an ``item`` of an array, the ``value`` or ``key`` of a free table, what is ``inside``
    an array of such a table or the ``inner key`` of a table there, or of a path the ``variable`` and what is ``below``.
    ``choice`` when only a few words, or amounts, are any good.
    """

    path: str
    form: str
    choice: bool = False

    def __str__(self) -> str:
        return f"{self.path} ({self.form})"

    @property
    def several(self) -> bool:
        """Whether one spec can hold many texts there."""
        return "[]" in self.path or self.form not in {"text", "variable", "below"}


def places() -> tuple[Place, ...]:
    """All of them, in the order of declaration."""
    return tuple(_of_section(Spec, ""))


def _of_section(section: type[Section], prefix: str) -> Iterator[Place]:
    for name, info in section.model_fields.items():
        yield from _of_type(info.annotation, f"{prefix}{name}", "text", info)


def _of_type(kind: Any, path: str, form: str, info: FieldInfo) -> Iterator[Place]:
    """The places of a field, or of a part of its type. Raises TypeError for a type that nobody thought of."""
    origin, parts = get_origin(kind), [part for part in get_args(kind) if part is not NoneType]
    if origin is Annotated:
        yield from _of_type(parts[0], path, form, info)
    elif origin in (Union, UnionType):
        for part in parts:
            yield from _of_type(part, path, form, info)
    elif kind is NodePath:
        yield Place(path, form)
        if form == "text":
            yield from (Place(path, "variable"), Place(path, "below"))
    elif isinstance(kind, type) and issubclass(kind, Section):
        yield from _of_section(kind, f"{path}.")
    elif origin is tuple:
        yield from _of_array(parts[0], path, info)
    elif origin is dict:
        yield from _of_table(parts[1], path, info)
    elif kind is str or origin is Literal:
        yield Place(path, form, choice=kind is not str)
    elif kind in (int, float, bool):
        if form == "text" and _takes_amounts(info):
            yield Place(path, form, choice=True)
    else:
        raise TypeError(f"{path}: is there text in {kind}?")


def _of_array(kind: Any, path: str, info: FieldInfo) -> Iterator[Place]:
    inner = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(inner, type) and issubclass(inner, Section):
        yield from _of_section(inner, f"{path}[].")
    elif get_origin(inner) is dict:
        yield from _of_table(get_args(inner)[1], f"{path}[]", info)
    else:
        yield from _of_type(inner, path, "item", info)


def _of_table(kind: Any, path: str, info: FieldInfo) -> Iterator[Place]:
    yield Place(path, "key")
    if kind is Any:
        yield from (Place(path, form) for form in ("value", "inside", "inner key"))
    else:
        yield from _of_type(kind, path, "value", info)


def _takes_amounts(info: FieldInfo) -> bool:
    return any(_holds(_adapter(info), text) for text in AMOUNTS)


def _adapter(info: FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = info.annotation
    return TypeAdapter(Annotated[(annotation, *info.metadata)] if info.metadata else annotation)


def _holds(kind: TypeAdapter[Any], value: object) -> bool:
    try:
        kind.validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _type_at(path: str) -> TypeAdapter[Any]:
    info = field_at(tuple(path.replace("[]", "").split(".")))
    assert info is not None, path
    return _adapter(info)


def type_takes(place: Place, text: str) -> bool:
    """Whether the type of the field at ``place`` has nothing against ``text`` there: the cheap half of a check."""
    values: Mapping[str, object] = {
        "text": text,
        "item": [text],
        "value": {"K": text},
        "key": {text: "v"},
        "inside": {"K": [text]},
        "inner key": {"K": {text: "v"}},
        "variable": {"env": text, "path": "p"},
        "below": {"env": "HOME", "path": text},
    }
    value = values[place.form]
    return _holds(_type_at(place.path), [value] if place.path.endswith("[]") else value)
