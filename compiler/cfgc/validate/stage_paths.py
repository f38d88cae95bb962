"""Paths of the node that another stage writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.schema.field import Section
from cfgc.schema.values import NodePath
from cfgc.validate.places import Location

if TYPE_CHECKING:
    from cfgc.schema.spec import AnySpec


def lies_among_stages(spec: AnySpec) -> bool:
    """Whether the run directory is that of a pipeline's stage."""
    run_dir = spec.launch.run_dir
    return run_dir is not None and run_dir.path.split("/")[-2:-1] == ["stages"]


def paths_of_stages(section: Section, above: Location = ()) -> Iterator[Location]:
    """Where ``section`` has a path that another stage writes."""
    for name in type(section).model_fields:
        yield from _paths_in(getattr(section, name), (*above, name))


def _paths_in(value: object, at: Location) -> Iterator[Location]:
    if isinstance(value, NodePath):
        if value.base in ("stage", "checkpoint"):
            yield at
    elif isinstance(value, Section):
        yield from paths_of_stages(value, at)
    elif isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from _paths_in(item, (*at, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _paths_in(item, (*at, key))
