"""Where a parameter that the optimizer or the scheduler does not take was meant to stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.deepspeed.case import path_of
from cfgc.deepspeed.rules.optimizer_classes import PARAMS, built
from cfgc.deepspeed.rules.schedule_classes import SCHEDULER_PARAMS, schedule

if TYPE_CHECKING:
    from collections.abc import Collection

    from cfgc.deepspeed.case import Case
    from cfgc.deepspeed.config import Json

TOO_COMMON = {"enabled", "type", "params", "device", "dtype", "verbose", "debug", "seed"}
"""Names that say nothing about the section."""


def home_of(case: Case, table: str, name: str) -> str | None:
    """The one section that takes the name and lacks it, empty for the top level; None when there is not exactly one."""
    other = SCHEDULER_PARAMS if table == PARAMS else PARAMS
    if name == "params":
        return _section_without_params(case, table, other)
    if name in TOO_COMMON:
        return None
    if case.written(other) and name in taken(case, other) and not case.written(f"{other}.{name}"):
        return other
    places = [
        path[:-1]
        for path, key in case.release.keys.items()
        if path[-1] == name and not (key.refused or key.unread or key.deprecated or key.alias_of)
    ]
    free = [place for place in places if case.config.get((*place, name)) is None]
    there = [place for place in free if not place or case.config.get(place) is not None] or free
    return ".".join(there[0]) if len(there) == 1 else None


def _section_without_params(case: Case, table: str, other: str) -> str | None:
    inner, section = case.value(f"{table}.params"), other.partition(".")[0]
    if not isinstance(inner, dict) or not case.written(section) or case.written(other):
        return None
    return section if set(inner) & set(taken(case, other)) else None


def taken(case: Case, table: str) -> Collection[str]:
    """The parameters that the optimizer or the scheduler of the file takes; none when it is not known."""
    made = built(case) if table == PARAMS else schedule(case)
    return made.takes if made else ()


def unwrapped(case: Case, table: str, name: str) -> dict[str, Json] | None:
    """What ``"params": {"params": {…}}`` was meant to hold; None when it is something else."""
    inner, outer = case.config.get(path_of(f"{table}.{name}")), case.config.get(path_of(table))
    if name != "params" or inner is None or not isinstance(inner.value, dict) or outer is None:
        return None
    return {key: value for key, value in outer.value.items() if key != name} | inner.value


def held_elsewhere(case: Case, table: str, name: str) -> bool:
    """Whether another finding says where the parameter stands: one level too deep, or in the other section."""
    inner, other = case.value(f"{table}.params"), SCHEDULER_PARAMS if table == PARAMS else PARAMS
    there = case.written(f"{other}.{name}") and name not in taken(case, other)
    return there or (isinstance(inner, dict) and name in inner)


def only(value: Json) -> Json:
    """What an array or table of one value holds; any other value as it is."""
    held = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return held[0] if len(held) == 1 else value
