"""Fixes of what the load phase finds, by the place in the text that it points at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.diagnostics.model import Edit, Fix
from cfgc.fixing.locate import is_of_the_project, location_around, location_of, location_of_key, written_at

if TYPE_CHECKING:
    from cfgc.fixing.tree import Location
    from cfgc.origin import Value
    from cfgc.source import Span

Fixes = tuple[Fix, ...]


def setting(span: Span, value: Value, *, certain: bool = False) -> Fixes:
    """``value`` for what stands at ``span``; none for a place that no file of the project holds."""
    at = _location(span)
    return (Fix((Edit("set", span.source, at, value),), certain),) if at else ()


def removing(span: Span) -> Fixes:
    """The key whose name or value stands at ``span`` goes."""
    at = _location(span)
    return (Fix((Edit("remove", span.source, at),)),) if at else ()


def unbracketing(span: Span) -> Fixes:
    """The table at ``span`` in place of an array that holds nothing else; none for any other value."""
    at = _location(span)
    held = written_at(span.source, at) if at else None
    return setting(span, held[0]) if isinstance(held, list) and len(held) == 1 and isinstance(held[0], dict) else ()


def moving(span: Span, to: Location, *, certain: bool = False) -> Fixes:
    """The key at ``span`` gets the path ``to``; a single name stays in its table."""
    at = _location(span)
    path = (*at[:-1], *to) if at and len(to) == 1 else to
    return (Fix((Edit("move", span.source, at, to=path),), certain),) if at else ()


def removing_around(span: Span | None) -> Fixes:
    """The key, or element of an array, whose value holds ``span`` goes."""
    at = location_around(span) if span and is_of_the_project(span.source) else None
    return (Fix((Edit("remove", span.source, at),)),) if span and at else ()


def rewording(span: Span | None, word: str, *, certain: bool) -> Fixes:
    """``word`` for what stands at ``span`` inside a text."""
    at = location_around(span) if span and is_of_the_project(span.source) else None
    text = written_at(span.source, at) if span and at else None
    if span is None or at is None or not isinstance(text, str) or text.count(span.text) != 1:
        return ()
    return (Fix((Edit("set", span.source, at, text.replace(span.text, word)),), certain),)


def _location(span: Span) -> Location | None:
    if not is_of_the_project(span.source):
        return None
    return location_of_key(span) or location_of(span)
