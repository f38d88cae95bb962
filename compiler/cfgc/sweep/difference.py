"""What a point changes of the plan that all points share, as data that the runtime applies without computing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cfgc.emit.canonical import json_of
from cfgc.emit.config_py import constants_of
from cfgc.emit.scripts import needed_variables
from cfgc.emit.values_json import values_of
from cfgc.lower.plan import Plan

if TYPE_CHECKING:
    from cfgc.lower.plan import AnyPlan, Json

CLASS = ""
"""Key of an encoded object that names its class; no field is called so."""


@dataclass(frozen=True)
class Base:
    """The plan of the first point, and what of it every other point is compared with."""

    plan: AnyPlan

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Every value of its spec."""
        return values_of(self.plan)

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The variables that must be set where it starts."""
        return needed_variables(self.plan)


def difference(base: Base, plan: AnyPlan) -> dict[str, Json]:
    """``config`` by dotted path of its constants; ``ds_config``, ``values`` as JSON merge patches; changed ``files``.

    Nothing where they agree, so that the first point has none.
    """
    config = {
        f"{name.upper()}{path}": value
        for name in constants_of(plan)
        for path, value in _changes(getattr(base.plan, name), getattr(plan, name), "")
    }
    found: dict[str, Json] = {
        "config": config,
        "ds_config": merge_patch(_ds_config(base.plan), _ds_config(plan)),
        "values": merge_patch(base.values, values_of(plan)),
        "files": dict(_files(base.plan, plan)),
    }
    return {name: change for name, change in found.items() if change}


def encoded(value: object) -> Json:
    """A value of config.py as JSON: an object with its class, a mapping as sorted pairs, a tuple as an array."""
    if is_dataclass(value) and not isinstance(value, type):
        return {CLASS: type(value).__name__} | {f.name: encoded(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return [[str(key), encoded(inner)] for key, inner in sorted(value.items())]
    if isinstance(value, tuple):
        return [encoded(inner) for inner in value]
    return json_of(value)


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Json]:
    """What turns ``old`` into ``new``, as RFC 7396 has it: tables are merged, null removes a key."""
    patch: dict[str, Json] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            inner = merge_patch(before, value)
            patch |= {key: inner} if inner else {}
        elif key not in old or not _same(before, value):
            patch[key] = json_of(value)
    return patch


def _changes(old: object, new: object, path: str) -> Iterator[tuple[str, Json]]:
    if type(old) is type(new) and is_dataclass(old) and is_dataclass(new) and not isinstance(new, type):
        for field in fields(new):
            yield from _changes(getattr(old, field.name), getattr(new, field.name), f"{path}.{field.name}")
    elif isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new) and any(map(is_dataclass, new)):
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changes(before, after, f"{path}.{place}")
    elif not _same(encoded(old), encoded(new)):
        yield path, encoded(new)


def _same(old: object, new: object) -> bool:
    """Equal, and of one type throughout: 1, 1.0 and true are three values."""
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    return type(old) is type(new) and old == new


def _ds_config(plan: AnyPlan) -> Mapping[str, Json]:
    return plan.ds_config if isinstance(plan, Plan) else {}


def _files(base: AnyPlan, plan: AnyPlan) -> Iterator[tuple[str, Json]]:
    """wiring.py, where calls of the user's own code have other arguments; null where there is none any more."""
    if base.calls != plan.calls:
        from cfgc.emit.wiring_py import wiring_py

        yield "wiring.py", wiring_py(plan.calls) if plan.calls else None
