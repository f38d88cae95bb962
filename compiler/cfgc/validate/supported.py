"""Settings that the schema knows and the runtime does not execute yet: an error each, never silence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import PydanticUndefined

from cfgc.diagnostics import Diagnostic
from cfgc.schema.field import Section, meta_of
from cfgc.schema.values import NodePath
from cfgc.validate.missing import dotted
from cfgc.validate.places import Location, value_label
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.values import short_text
from cfgc.validate.wording import pasteable

if TYPE_CHECKING:
    from cfgc.diagnostics.model import Fix
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.field import Feature, Later
    from cfgc.schema.spec import AnySpec

_SectionT = TypeVar("_SectionT", bound=Section)

CODES: Mapping[Feature, tuple[str, str]] = {
    "moe": ("CFG450", "every layer of the runtime's decoder is dense"),
    "fp8": ("CFG451", "the runtime computes in fp32, bf16 and fp16"),
    "parallel": ("CFG452", "every rank of the runtime is data-parallel"),
    "data": ("CFG453", "every optimizer step takes one whole global batch"),
    "model": (
        "CFG454",
        "the runtime has its own decoder, the causal language models of transformers, and what your code builds",
    ),
    "task": ("CFG461", "the runtime trains, evaluates, exports, or runs a function or a script of your own"),
    "nvme": ("CFG462", "the runtime offloads to host memory only"),
    "checkpoint": ("CFG463", "training waits while a checkpoint is written"),
    "executor": ("CFG465", "a bundle starts on one machine and on Slurm"),
}
"""Code of each family, and what the runtime does today."""


def judge(spec: AnySpec, resolved: Resolved, rules: Callable[[AnySpec], Sequence[Diagnostic]]) -> list[Diagnostic]:
    """Unsupported settings, and what the rules find; one finding for one mistake.

    What a rule says of an unsupported setting is a note there, and what would be right without it is not said.
    """
    unsupported = list(check_supported(spec, resolved))
    if not unsupported:
        return list(rules(spec))
    besides = [found for found in rules(spec) if _touches(found, unsupported)]
    others = (found for found in rules(_without_unsupported(spec)) if not _touches(found, unsupported))
    for found in besides:
        index = next(index for index, finding in enumerate(unsupported) if _touches(found, [finding]))
        note = f"besides, {found.message} ({found.code})"
        unsupported[index] = replace(unsupported[index], notes=(*unsupported[index].notes, note))
    return [*unsupported, *others]


def _touches(found: Diagnostic, unsupported: Sequence[Diagnostic]) -> bool:
    """Whether ``found`` points at one of the values that ``unsupported`` point at."""
    values = [label.span for finding in unsupported for label in (finding.primary, *finding.secondary) if label]
    places = [label.span for label in (found.primary, *found.secondary) if label]
    return any(
        place.source is value.source and place.start < value.end and value.start < place.end
        for place in places
        for value in values
    )


def _without_unsupported(section: _SectionT) -> _SectionT:
    """``section`` with the default for each setting that the runtime cannot execute yet."""
    changed: dict[str, Any] = {}
    for name, info in type(section).model_fields.items():
        value, later = getattr(section, name), meta_of(info).later
        if later and not _works(value, info.default, later):
            changed[name] = None if info.default is PydanticUndefined else info.default
        elif isinstance(value, Section):
            changed[name] = _without_unsupported(value)
        elif isinstance(value, tuple):
            changed[name] = tuple(_without_unsupported(item) if isinstance(item, Section) else item for item in value)
    return section.model_copy(update=changed)


def check_supported(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """A finding for each table that holds settings which the runtime cannot execute yet."""
    groups: dict[tuple[Location, Later], list[tuple[Location, Any]]] = {}
    for location, value, default, later in _reserved(spec, ()):
        if not _works(value, default, later):
            groups.setdefault((location[:-1], later), []).append((location, value))
    for (_, later), found in groups.items():
        yield _unsupported(resolved, found, later)


def _reserved(section: Section, above: Location) -> Iterator[tuple[Location, Any, Any, Later]]:
    for name, info in type(section).model_fields.items():
        value, location = getattr(section, name), (*above, name)
        later = meta_of(info).later
        if later:
            yield location, value, info.default, later
        elif isinstance(value, Section) and not isinstance(value, NodePath):
            yield from _reserved(value, location)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Section):
                    yield from _reserved(item, (*location, index))


def _works(value: object, default: object, later: Later) -> bool:
    if later.works:
        return value in later.works
    off = () if default is PydanticUndefined else (default,)
    return value in (*off, None, False)


def _unsupported(resolved: Resolved, found: Sequence[tuple[Location, Any]], later: Later) -> Diagnostic:
    (first, value), *others = found
    code, today = CODES[later.feature]
    shown = f" = {short_text(value)}" if isinstance(value, str | int | float) else ""
    labels = (value_label(resolved, location, "nor is this") for location, _ in others)
    primary = value_label(resolved, first, "")
    return Diagnostic(
        code,
        f"`{dotted(first)}{shown}` is not supported by this runtime yet",
        primary,
        secondary=tuple(label for label in labels if label),
        notes=(today, "what would be ignored is refused"),
        helps=pasteable((later.instead,), resolved, [dotted(first)], primary),
        fixes=_fixes(Remedy(resolved), [location for location, _ in found], later),
    )


def _fixes(remedy: Remedy, locations: Sequence[Location], later: Later) -> tuple[Fix, ...]:
    """What works today in place of each value: the one that ``later`` names, or none."""
    said = [_value(code.rpartition(" = ")[2]) for code in re.findall("`([^`]+)`", later.instead)]
    works = next((value for value in said if value in later.works and value is not None), None)
    edits = [edit for place in locations for edit in (remedy.set(place, works) if works else remedy.drop(place))]
    return one_fix(edits)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except ValueError:
        return None
