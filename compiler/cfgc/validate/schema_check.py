"""The closed schema: every key known, every value of its type and in its range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from cfgc.load.limit_errors import too_many_mistakes
from cfgc.nearest import nearest
from cfgc.schema.catalogue import schema_sections
from cfgc.schema.field import Section, meta_of
from cfgc.schema.lookup import section_at
from cfgc.schema.spec import Spec, TaskSpec
from cfgc.validate.bad_values import explain_value
from cfgc.validate.missing import missing_keys
from cfgc.validate.places import Location
from cfgc.validate.tasks import names_a_task
from cfgc.validate.unknown import other_home, unknown_keys

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.origin import Value
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

SectionT = TypeVar("SectionT", bound=Section)

MOST = 100
"""Refused keys that are explained; a text with more is no spec that somebody mistyped."""


@dataclass(frozen=True)
class Refused:
    """Why the schema refuses a spec, and which keys it refuses."""

    findings: tuple[Diagnostic, ...]
    locations: tuple[Location, ...]


def check_schema(resolved: Resolved) -> AnySpec | Refused:
    """The typed spec, or every finding of the schema."""
    tree = with_own_data(resolved.tree())
    task = bool(names_a_task(resolved))
    errors: dict[Location, Mapping[str, Any]] = {}
    spec: AnySpec | None = None
    try:
        spec = TaskSpec.model_validate(tree) if task else Spec.model_validate(tree)
    except ValidationError as error:
        errors = dict(_located(error.errors(include_url=False)))
    needed = (place for place in _needed(tree) if not task or place[0] == "task")
    errors |= {place: {"type": "missing", "input": None} for place in needed if not _is_refused(place, errors)}
    if spec is not None and not errors:
        return spec
    return _refused(resolved, errors)


def refusals(resolved: Resolved, error: ValidationError) -> Refused:
    """What ``error`` says of a part of ``resolved`` that was validated by itself."""
    return _refused(resolved, dict(_located(error.errors(include_url=False))))


def _refused(resolved: Resolved, errors: dict[Location, Mapping[str, Any]]) -> Refused:
    errors = _without_followers(errors)
    first = dict(islice(errors.items(), MOST))
    findings = [finding for location, found in first.items() for finding in _explain(resolved, location, found)]
    once = {(finding.code, finding.message): finding for finding in findings}
    if len(errors) > MOST:
        return Refused((*once.values(), too_many_mistakes(len(errors), MOST)), ())
    return Refused(tuple(once.values()), tuple(errors))


def check_section(resolved: Resolved, name: str, section: type[SectionT]) -> SectionT | Refused:
    """The table ``name`` of the spec alone, typed; or every finding of the schema about it."""
    try:
        return section.model_validate(resolved.tree().get(name, {}))
    except ValidationError as error:
        errors = {(name, *at): found for at, found in _located(error.errors(include_url=False))}
    findings = [one for location, found in errors.items() for one in _explain(resolved, location, found)]
    return Refused(tuple(findings), tuple(errors))


def with_own_data(tree: dict[str, Value]) -> dict[str, Value]:
    """``tree`` with no source of data, in place of none, where the samples come from the user's own code."""
    data = tree.get("data")
    if not isinstance(data, dict) or "target" not in data or "sources" in data:
        return tree
    none: Any = ()
    return {**tree, "data": {**data, "sources": none}}


def _needed(tree: Mapping[str, Any]) -> Iterator[Location]:
    """Keys that their table does not have, and that its kind cannot do without."""
    for path, section in schema_sections().items():
        table = _table_at(tree, path)
        for name, info in section.model_fields.items():
            only = meta_of(info).only
            if only and only.required and table is not None and name not in table:
                kind = table.get(only.key, section.model_fields[only.key].default)
                if kind in only.kinds:
                    yield (*path, name)


def _table_at(tree: Mapping[str, Any], path: Location) -> Mapping[str, Any] | None:
    """The table at ``path``, empty where nothing is written; None where a value is in its place."""
    held: Any = tree
    for part in path:
        held = held.get(part, {}) if isinstance(held, dict) else None
    return held if isinstance(held, dict) else None


def _is_refused(place: Location, errors: Mapping[Location, Any]) -> bool:
    return any(place[:length] in errors for length in range(1, len(place) + 1))


def _located(errors: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Location, Mapping[str, Any]]]:
    """Each error by its location; of those about one value, the innermost."""
    seen: set[Location] = set()
    for error in sorted(errors, key=lambda error: -len(error["loc"])):
        location = tuple(part for part in error["loc"] if part != "[key]")
        if location not in seen:
            seen |= {location[:length] for length in range(len(location) + 1)}
            yield location, error


def _without_followers(errors: Mapping[Location, Mapping[str, Any]]) -> dict[Location, Mapping[str, Any]]:
    """``errors`` without missing keys that are there, only mistyped or elsewhere, or in a base that is not read."""
    unknown = dict(islice(((at, error) for at, error in errors.items() if error["type"] == "extra_forbidden"), MOST))
    meant: dict[Location, Any] = {}
    for location, error in unknown.items():
        home = other_home(str(location[-1]), error["input"])
        close = _closest(location)
        meant |= {(*location[:-1], close): error["input"]} if close else {}
        meant |= {tuple(home.split(".")): error["input"]} if home else {}
    without_base = any(nearest(str(location[-1]), ("extends",)) for location in unknown)
    missing = {place for place, error in errors.items() if error["type"] == "missing"}
    followers = missing if without_base else {place for place in missing if _is_given(place, meant)}
    return {place: error for place, error in errors.items() if place not in followers}


def _is_given(place: Location, meant: Mapping[Location, Any]) -> bool:
    """Whether one of the values that belong elsewhere is, or holds, what is missing at ``place``."""
    for length in range(1, len(place) + 1):
        if place[:length] in meant:
            held = meant[place[:length]]
            for part in place[length:]:
                held = held.get(part) if isinstance(held, dict) else None
            return held is not None
    return False


def _closest(location: Location) -> str | None:
    section = section_at(location[:-1])
    return nearest(str(location[-1]), section.model_fields) if section else None


def _explain(resolved: Resolved, location: Location, error: Mapping[str, Any]) -> Iterator[Diagnostic]:
    kind = error["type"]
    if kind == "extra_forbidden":
        yield from unknown_keys(resolved, location)
    elif kind == "missing" and not isinstance(location[-1], int):
        yield from missing_keys(resolved, location)
    else:
        yield explain_value(resolved, location, error)
