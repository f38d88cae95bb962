"""The class of any value of a spec: that of its field, of a variable's name, or of a key of DeepSpeed."""

from __future__ import annotations

from functools import cache

from cfgc.deepspeed.classes import class_of_key
from cfgc.effects import Classed, FieldClass
from cfgc.origin import Path
from cfgc.schema.field import meta_of
from cfgc.schema.lookup import field_at
from cfgc.schema.variables import class_of_variable

_RAW = ("deepspeed", "raw")
_REASON = "reason"
_VARIABLES = (("env", "variables"), ("cluster", "environment"))


def class_of(place: tuple[str | int, ...]) -> FieldClass:
    """The class of the value at ``place``: keys of tables and positions in arrays, outermost first."""
    classed = classed_at(place)
    assert classed, f"{place} is a value"
    return classed.kind


def classed_at(place: tuple[str | int, ...]) -> Classed | None:
    """Its class, and why; None where the schema has no value."""
    return _classed(tuple(part for part in place if isinstance(part, str)))


@cache
def _classed(path: Path) -> Classed | None:
    if path[:2] == _RAW and path[2:]:
        return _of_raw(path[2:])
    if path[:2] in _VARIABLES and path[2:]:
        return class_of_variable(path[2])
    info = field_at(path)
    meta = meta_of(info) if info else None
    return Classed(meta.field_class, meta.why) if meta and meta.field_class else None


def _of_raw(path: Path) -> Classed:
    return Classed("logistics", "It is for people.") if path == (_REASON,) else class_of_key(path)
