"""The closed schema: every key known, every value of its type and in its range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cfgc.schema.spec import Spec
from cfgc.validate.bad_values import explain_value
from cfgc.validate.missing import missing_keys
from cfgc.validate.places import Location
from cfgc.validate.unknown import unknown_keys

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved


def check_schema(resolved: Resolved) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """The typed spec, or None and every finding of the schema."""
    try:
        spec = Spec.model_validate(resolved.tree())
    except ValidationError as error:
        return None, tuple(_findings(resolved, error.errors(include_url=False)))
    return spec, ()


def _findings(resolved: Resolved, errors: Iterable[Mapping[str, Any]]) -> Iterator[Diagnostic]:
    seen: set[Location] = set()
    for error in sorted(errors, key=lambda error: -len(error["loc"])):
        location = tuple(part for part in error["loc"] if part != "[key]")
        if any(known[: len(location)] == location for known in seen):
            continue
        seen.add(location)
        yield from _explain(resolved, location, error)


def _explain(resolved: Resolved, location: Location, error: Mapping[str, Any]) -> Iterator[Diagnostic]:
    kind = error["type"]
    if kind == "extra_forbidden":
        yield from unknown_keys(resolved, location)
    elif kind == "missing" and not isinstance(location[-1], int):
        yield from missing_keys(resolved, location)
    else:
        yield explain_value(resolved, location, error)
