"""How a schema field is declared: its class, documentation, unit, range, and what the runtime executes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from cfgc.effects import FieldClass

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Feature: TypeAlias = Literal[
    "moe",
    "fp8",
    "parallel",
    "data",
    "model",
    "task",
    "nvme",
    "checkpoint",
    "executor",
]
"""Families of settings that the runtime does not execute yet; each has one diagnostic code."""


@dataclass(frozen=True)
class Later:
    """What the runtime does not execute yet: the family, what to write ``instead``, and the values that work today.

    ``works`` empty means the field's default, and off (False, 0).
    """

    feature: Feature
    instead: str
    works: tuple[object, ...] = ()


@dataclass(frozen=True)
class OnlyFor:
    """The field belongs to a table whose ``key`` is one of ``kinds``; in any other it would be ignored, so is refused.

    ``required`` where it belongs; its default is None then.
    """

    kinds: tuple[str, ...]
    required: bool = False
    key: str = "kind"


@dataclass(frozen=True)
class Meta:
    """What is known of a field besides its type.

    ``why`` says why it has its ``field_class``. A ``part`` has neither.
    """

    field_class: FieldClass | None
    why: str
    unit: str = ""
    later: Later | None = None
    only: OnlyFor | None = None


class Section(BaseModel):
    """A table of the spec: closed, strict and immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def numerics(
    default: object,
    doc: str,
    *,
    why: str,
    unit: str = "",
    later: Later | None = None,
    only: OnlyFor | None = None,
    **limits: float,
) -> Any:
    """A field that changes the loss curve: ``why`` says how. ``limits`` are ge, gt, le, lt, min_length, max_length."""
    return _field(default, doc, Meta("numerics", why, unit, later, only), limits)


def resources(
    default: object,
    doc: str,
    *,
    why: str,
    unit: str = "",
    later: Later | None = None,
    only: OnlyFor | None = None,
    **limits: float,
) -> Any:
    """A field that changes what the run needs (devices, memory, time) but not the loss curve, unless by rounding."""
    return _field(default, doc, Meta("resources", why, unit, later, only), limits)


def logistics(
    default: object,
    doc: str,
    *,
    why: str,
    unit: str = "",
    later: Later | None = None,
    only: OnlyFor | None = None,
    **limits: float,
) -> Any:
    """A field that changes only how the run is named, started, saved or watched."""
    return _field(default, doc, Meta("logistics", why, unit, later, only), limits)


def part(default: object, doc: str, *, later: Later | None = None) -> Any:
    """A table of the spec, whose keys have classes of their own, or a part of a value, which has its key's."""
    return _field(default, doc, Meta(None, "", later=later), {})


def _field(default: object, doc: str, meta: Meta, limits: dict[str, float]) -> Any:
    extra: Any = {"cfgc": meta}
    ranges: dict[str, Any] = dict(limits)
    return Field(default, description=doc, json_schema_extra=extra, **ranges)


def meta_of(field: FieldInfo) -> Meta:
    """The ``Meta`` that a field was declared with."""
    extra: Any = field.json_schema_extra
    meta: Meta = extra["cfgc"]
    return meta
