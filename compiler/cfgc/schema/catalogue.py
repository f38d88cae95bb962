"""Every field of the schema, by dotted path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cfgc.effects import FieldClass
from cfgc.schema.data import Source
from cfgc.schema.field import Meta, Section, meta_of
from cfgc.schema.spec import Spec
from cfgc.schema.training import ParameterGroup

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from cfgc.origin import Path


@dataclass(frozen=True)
class SchemaField:
    """A key that holds a value (not a section)."""

    path: Path
    info: FieldInfo
    meta: Meta

    @property
    def dotted(self) -> str:
        """``training.learning_rate``."""
        return ".".join(self.path)

    @property
    def field_class(self) -> FieldClass:
        """What a change of it changes."""
        assert self.meta.field_class, f"{self.dotted} holds a value"
        return self.meta.field_class

    @property
    def doc(self) -> str:
        """What the field means, one sentence."""
        return self.info.description or ""

    @property
    def default(self) -> Any:
        """The default; ``PydanticUndefined`` for a required field, None for one that is derived or off."""
        return self.info.default


def catalogue() -> tuple[SchemaField, ...]:
    """All fields in the order of declaration."""
    return tuple(schema_fields().values())


@cache
def schema_fields() -> Mapping[Path, SchemaField]:
    """All fields by path, in the order of declaration."""
    return MappingProxyType({field.path: field for field in _walk(Spec, ())})


@cache
def schema_positions() -> Mapping[Path, int]:
    """Where each field stands in the order of declaration."""
    return MappingProxyType({path: position for position, path in enumerate(schema_fields())})


@cache
def schema_sections() -> Mapping[Path, type[Section]]:
    """All tables of the schema, the root under the empty path."""
    return MappingProxyType(dict(_sections(Spec, ())))


INNER_KEYS = frozenset({*Source.model_fields, *ParameterGroup.model_fields, "env", "stdlib", "path"})
"""Keys of a source of data and of a path: in no section of their own, so that their name alone says too little."""


def section_type(info: FieldInfo) -> type[Section] | None:
    """The section that a field holds, None when it holds a value."""
    held = info.annotation
    return held if isinstance(held, type) and issubclass(held, Section) and held.__name__ != "NodePath" else None


def _walk(model: type[Section], prefix: Path) -> Iterator[SchemaField]:
    for name, info in model.model_fields.items():
        inner = section_type(info)
        if inner:
            yield from _walk(inner, (*prefix, name))
        else:
            yield SchemaField((*prefix, name), info, meta_of(info))


def _sections(model: type[Section], prefix: Path) -> Iterator[tuple[Path, type[Section]]]:
    yield prefix, model
    for name, info in model.model_fields.items():
        inner = section_type(info)
        if inner:
            yield from _sections(inner, (*prefix, name))
