"""Whether the schema takes a value: what it does not is dropped with the reason, so that the rest builds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import TypeAdapter, ValidationError

from cfgc.importing.items import Dropped, Item, Setting
from cfgc.schema.catalogue import schema_fields
from cfgc.schema.field import meta_of
from cfgc.schema.limits import choices_of, limits_of
from cfgc.schema.values import LARGEST

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


OVERLAYS = "overlays."
"""Choices of overlays are the language's, and no field of the schema."""


def fitting(items: Iterable[Item]) -> tuple[Item, ...]:
    """``items`` with every setting that the schema or the runtime refuses as ``Dropped``."""
    return tuple(_fitted(item) for item in items)


def _fitted(item: Item) -> Item:
    if not isinstance(item, Setting) or item.expression or item.key.startswith(OVERLAYS):
        return item
    info = schema_fields()[tuple(item.key.split("."))].info
    path = item.sources[0] if item.sources else tuple(item.key.split("."))
    because = unfit(item.value) or _refused(info, item.value)
    if because:
        return Dropped(path, f"`{item.key}` {because}", item.value, doubtful=True)
    later = meta_of(info).later
    if later is None or item.value in later.works:
        return item
    if not later.works and item.value in (None, False, 0):
        return Dropped(path, "it is off in every spec", item.value)
    if item.value == info.default:
        return item
    return Dropped(path, f"the runtime does not execute it yet: {later.instead}", item.value, doubtful=True)


def unfit(value: Any) -> str:
    """Why TOML, or a spec, cannot hold the value; empty when it can."""
    if isinstance(value, Mapping | list | tuple):
        inner = (*value, *value.values()) if isinstance(value, Mapping) else value
        return next((why for item in inner if (why := unfit(item))), "")
    if value is None:
        return "has no null"
    if isinstance(value, float) and not math.isfinite(value):
        return "is a finite number"
    if isinstance(value, int) and abs(value) > LARGEST:
        return "fits in 64 bits"
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        return "is valid text"
    return ""


def _refused(info: FieldInfo, value: Any) -> str:
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        choices = choices_of(info)
        if choices:
            return f"is one of {', '.join(map(str, choices))}"
        return f"is {limits}" if (limits := limits_of(info)) else f"does not take it: {error.errors()[0]['msg']}"
    return ""
