"""The first layer of every spec: the schema's defaults."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticUndefined

from cfgc.origin import Layer, Origin, Value
from cfgc.patch import Patch
from cfgc.schema.catalogue import schema_fields

if TYPE_CHECKING:
    from cfgc.origin import Path

DEFAULT_LAYER = Layer("default")
"""The layer that ``default_patch`` belongs to."""


@cache
def default_patch() -> Patch:
    """Every default as a patch without places; a required, derived or switched-off key has none."""
    sets: dict[Path, Origin] = {}
    for path, field in schema_fields().items():
        value = _toml(field.default)
        if value is not None:
            sets[path] = Origin(DEFAULT_LAYER, value)
    return Patch(sets=MappingProxyType(sets))


def _toml(default: Any) -> Value | None:
    if default is PydanticUndefined or default is None or default == {}:
        return None
    return list(default) if isinstance(default, tuple) else default
