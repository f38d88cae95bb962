"""The fix that a help about one value means."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cfgc.diagnostics.model import Edit, Fix
from cfgc.nearest import clearly_nearest
from cfgc.schema.limits import choices_of
from cfgc.validate.remedy import Remedy

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.validate.bad_values import Refused
    from cfgc.validate.places import Location
    from cfgc.validate.remedy import Edits

_WRITE = re.compile(r"`(?:(?P<key>[\w.]+) = )?(?P<value>[^`]+)`(?P<place> in its place)?")

_BARE_UNIT = re.compile(r"(?:[KMGTPkmgtp]i?|m|[0-9])\s*$")
"""Thousands or 1024s, minutes or months, or no unit at all."""


def value_fixes(refused: Refused, finding: Diagnostic) -> tuple[Fix, ...]:
    """A fix for each line that the helps of ``finding`` say to write, certain where it can mean nothing else."""
    remedy = Remedy(refused.resolved)
    found = [edits for text in finding.helps for edits in _edits(text, refused, remedy)]
    certain = _is_certain(refused, finding)
    return tuple(Fix(edits, certain and index == 0) for index, edits in enumerate(found))


def _edits(text: str, refused: Refused, remedy: Remedy) -> Iterator[Edits]:
    if text.startswith(("leave it out", "or leave it out", "remove it")):
        yield from filter(None, [remedy.drop(refused.location)])
    if text.endswith("under `[overlays]`"):
        yield from filter(None, [remedy.move(refused.location, ("overlays", *refused.location))])
        return
    if text.startswith("write `[["):
        yield from filter(None, [remedy.set(refused.location, [refused.value])])
        return
    if text.startswith("did you mean `") and refused.error["type"] == "variable":
        yield from filter(None, [_of_variable(text.split("`")[1], refused, remedy)])
        return
    if text.endswith("in single brackets"):
        yield from filter(None, [remedy.set(refused.location, refused.value[0])])
        return
    for said in _WRITE.finditer(text):
        location = _location(refused, said["key"]) if said["key"] else refused.location if said["place"] else None
        value = _value(said["value"])
        edits = _setting(refused, remedy, location, value) if location and value is not None else ()
        if edits:
            yield edits


def _setting(refused: Refused, remedy: Remedy, location: Location, value: Any) -> Edits:
    """``value`` at ``location``; where that is inside the refused value, which is no table, in place of it."""
    depth = len(refused.location)
    gone = remedy.take_back(refused.location) if len(location) > depth else ()
    if not gone:
        return remedy.set(location, value)
    return (*gone, Edit("set", gone[0].source, (*gone[0].path, *location[depth:]), value))


def _of_variable(name: str, refused: Refused, remedy: Remedy) -> Edits:
    """Another name of an environment variable: as a key, as a value, or in a path of the node."""
    location = refused.location
    if isinstance(refused.value, dict):
        return remedy.set((*location, "env"), name)
    if location[-1] == refused.value:
        return remedy.move(location, (*location[:-1], name))
    return remedy.set(location, name)


def _location(refused: Refused, key: str) -> Location | None:
    """Where ``name``, or ``name.inner``, is written; the refused value may be an element of it."""
    name, *inner = key.split(".")
    if isinstance(refused.location[-1], int) and refused.location[-2:-1] == (name,):
        return refused.location[:-1]
    return (*refused.location, *inner) if name == refused.location[-1] else None


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except ValueError:
        return None


def _is_certain(refused: Refused, finding: Diagnostic) -> bool:
    """Whether the value says what was meant: quoted, unquoted, or mistyped."""
    kind, value = refused.error["type"], refused.value
    if refused.notes:
        return False
    if kind in {"int_type", "float_type", "bool_type"}:
        return isinstance(value, str) and finding.helps[0].endswith("without quotes")
    if kind == "string_type":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "literal_error":
        choices = choices_of(refused.info) if refused.info else ()
        words = [choice for choice in choices if isinstance(choice, str)]
        quoted = f"{value}".strip() in map(str, choices)
        return isinstance(value, str) and (quoted or clearly_nearest(value, words) is not None)
    return kind in {"duration", "size"} and finding.helps[0].startswith("write `") and not _BARE_UNIT.search(value)
