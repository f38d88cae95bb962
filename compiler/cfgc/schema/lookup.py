"""The schema's field at a place in a spec, arrays of tables included."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from cfgc.schema.field import Section
from cfgc.schema.spec import Spec
from cfgc.schema.values import NodePath

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def field_at(location: tuple[str | int, ...]) -> FieldInfo | None:
    """The innermost field that ``location`` leads through; None when its first key is unknown."""
    model: type[Section] | None = Spec
    info: FieldInfo | None = None
    for part in location:
        if isinstance(part, int):
            continue
        inner = model.model_fields.get(part) if model else None
        if inner is None:
            break
        info, model = inner, section_of(inner.annotation)
    return info


def section_at(location: tuple[str | int, ...]) -> type[Section] | None:
    """The table at ``location`` (a table of an array included); None when a value stands there."""
    model: type[Section] | None = Spec
    for part in location:
        if isinstance(part, int):
            continue
        inner = model.model_fields.get(part) if model else None
        if inner is None:
            return None
        model = section_of(inner.annotation)
    return model


def section_of(annotation: Any) -> type[Section] | None:
    """The table that a field of that type holds, or that its elements are; None for values."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return None if annotation is NodePath else annotation
    if get_origin(annotation) in (tuple, Annotated, Union, UnionType):
        return next((found for part in get_args(annotation) if (found := section_of(part))), None)
    return None
