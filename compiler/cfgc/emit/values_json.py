"""values.json: every value of the spec, given or derived, by the class that its field declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from cfgc.emit.canonical import json_of, readable
from cfgc.lower.plan import AnyPlan, Json, Plan
from cfgc.schema.classes import class_of

NAME = "values.json"

Place: TypeAlias = tuple[str | int, ...]
"""Keys of tables and positions in arrays, outermost first."""


def values_json(plan: AnyPlan) -> str:
    """The text of values.json: what a resumed run and ``cfgc diff`` compare."""
    return readable(values_of(plan))


def values_of(plan: AnyPlan) -> dict[str, dict[str, Json]]:
    """Its content."""
    values: dict[str, dict[str, Json]] = {"numerics": {}, "resources": {}, "logistics": {}}
    for line in plan.review.provenance:
        for place, value in places(json_of(line.value), line.path):
            values[class_of(place)][dotted(place)] = value
    ds_config = plan.ds_config if isinstance(plan, Plan) else {}
    return {**values, "ds_config": dict(flat(json_of(ds_config), ""))}


def flat(value: Json, key: str) -> Iterator[tuple[str, Json]]:
    """``places`` by dotted key: ``data.sources.0.path``."""
    for place, inner in places(value):
        yield dotted((*([key] if key else []), *place)), inner


def dotted(place: Place) -> str:
    """``data.sources.0.path``."""
    return ".".join(map(str, place))


def places(value: Json, above: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Tables, and arrays of tables, down to the values."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from places(inner, (*above, name))
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for position, item in enumerate(value):
            yield from places(item, (*above, position))
    else:
        yield above, value
