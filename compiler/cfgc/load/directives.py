"""A document's own directives (``extends``, ``overlays``, ``unset``, ``append``) and its patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cfgc.diagnostics import Diagnostic
from cfgc.load import base_errors, directive_errors, limit_errors, overlay_errors
from cfgc.load.document import Document
from cfgc.load.keys import parse_key
from cfgc.load.spans import Location
from cfgc.load.switches import key_of
from cfgc.origin import Layer, Origin, Path, Value
from cfgc.patch import Patch, compose
from cfgc.source import Span

MOST = 64
"""Entries of one directive."""

RESERVED = ("extends", "overlays", "unset", "append")
"""Top-level keys that are directives, no values of the spec."""


@dataclass(frozen=True)
class Named:
    """A name that a spec gives: a base's path or an overlay's option, and where it does."""

    name: str
    span: Span
    key_span: Span


@dataclass
class Directives:
    """What one document asks of the loader; ``problems`` are those of the directives' own form."""

    extends: list[Named] = field(default_factory=list)
    overlays: dict[str, Named] = field(default_factory=dict)
    dropped_overlays: dict[str, Span] = field(default_factory=dict)
    unsets: dict[Path, Span] = field(default_factory=dict)
    appends: dict[Path, Location] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)


def read_directives(document: Document) -> Directives:
    """The directives of ``document``."""
    read = Directives()
    for key in RESERVED:
        entries = document.tree.get(key)
        if isinstance(entries, list | dict) and len(entries) > MOST:
            read.problems.append(limit_errors.too_many_entries(key, len(entries), MOST, document.key_span((key,))))
    if read.problems:
        return read
    _read_extends(document, read)
    _read_overlays(document, read)
    _read_unset(document, read)
    _read_append(document, ("append",), document.tree.get("append", {}), (), read)
    return read


def patch_of(document: Document, directives: Directives, layer: Layer) -> Patch:
    """What ``document`` changes, as ``layer``."""
    sets: dict[Path, Origin] = {}
    tables: dict[Path, Span] = {}
    for key in document.tree:
        if key not in RESERVED:
            written = values_at(document, layer, (key,), (key,))
            sets.update(written.sets)
            tables.update(written.tables)
    appends = {
        path: origin_of(document, layer, location, appended=True) for path, location in directives.appends.items()
    }
    # where the document sets the array too, what it adds comes after that
    own = [path for path in appends if path in sets and isinstance(sets[path].value, list)]
    joined = compose(Patch({path: sets[path] for path in own}), Patch(appends={path: appends[path] for path in own}))
    return Patch(
        MappingProxyType({**sets, **joined.sets}),
        MappingProxyType(tables),
        MappingProxyType(dict(directives.unsets)),
        MappingProxyType({path: origin for path, origin in appends.items() if path not in joined.sets}),
    )


def values_at(document: Document, layer: Layer, location: Location, path: Path) -> Patch:
    """What ``document`` holds at ``location``, as a patch that sets it at ``path``."""
    value = value_at(document.tree, location)
    if not isinstance(value, dict) or is_one_value(value):
        return Patch(sets={key_of(path, value): origin_of(document, layer, location)})
    sets: dict[Path, Origin] = {}
    tables: dict[Path, Span] = {}
    if location in document.headers or location in document.places:
        tables[path] = document.key_span(location)
    for key in value:
        below = values_at(document, layer, (*location, key), (*path, key))
        sets.update(below.sets)
        tables.update(below.tables)
    return Patch(sets=sets, tables=tables)


def origin_of(document: Document, layer: Layer, location: Location, *, appended: bool = False) -> Origin:
    """The origin of the value at ``location``."""
    return Origin(
        layer=layer,
        value=value_at(document.tree, location),
        span=document.span(location),
        key_span=document.key_span(location),
        inner=document.inner(location),
        inner_keys=document.inner_keys(location),
        appended=appended,
    )


def is_one_value(table: Mapping[str, Value]) -> bool:
    """Whether ``table`` is a path of the node (``{ env = "SCRATCH", path = "runs" }``), which layers replace whole."""
    kinds = {"env": str, "stdlib": bool, "path": str}
    marked = "env" in table or "stdlib" in table
    return marked and all(isinstance(value, kinds.get(key, ())) for key, value in table.items())


def value_at(tree: Mapping[str, Value], location: Location) -> Value:
    """The value at ``location`` of ``tree``."""
    value: Any = tree
    for part in location:
        value = value[part]
    found: Value = value
    return found


def _read_extends(document: Document, read: Directives) -> None:
    value = document.tree.get("extends", [])
    entries: list[tuple[Location, Value]] = [(("extends",), value)]
    if isinstance(value, list):
        entries = [(("extends", position), entry) for position, entry in enumerate(value)]
    for location, entry in entries:
        span = document.span(location)
        if isinstance(entry, str) and entry:
            read.extends.append(Named(entry, span, document.key_span(("extends",))))
        else:
            read.problems.append(base_errors.extends_not_a_path(span))


def _read_overlays(document: Document, read: Directives) -> None:
    value = document.tree.get("overlays", {})
    if not isinstance(value, dict):
        read.problems.append(overlay_errors.overlays_not_a_table(document.span(("overlays",))))
        return
    for group, option in value.items():
        span = document.span(("overlays", group))
        if isinstance(option, str) and option:
            read.overlays[group] = Named(option, span, document.key_span(("overlays", group)))
        else:
            read.problems.append(overlay_errors.overlay_not_a_name(group, option, span, home_of(group)))


def home_of(name: str) -> Path:
    """The one key of the schema that is called ``name``; empty when there is none, or several."""
    from cfgc.schema.catalogue import INNER_KEYS, schema_fields

    found = [path for path in schema_fields() if path[-1] == name and name not in INNER_KEYS]
    return found[0] if len(found) == 1 else ()


def _read_unset(document: Document, read: Directives) -> None:
    value = document.tree.get("unset", [])
    if not isinstance(value, list):
        read.problems.append(directive_errors.unset_not_a_list(value, document.span(("unset",))))
        return
    for position, entry in enumerate(value):
        span = document.span(("unset", position))
        path = parse_key(entry) if isinstance(entry, str) else None
        if path is None:
            read.problems.append(directive_errors.not_a_key(entry, span))
        elif path[0] == "overlays" and len(path) == 2:
            read.dropped_overlays[path[1]] = span
        else:
            read.unsets[path] = span


def _read_append(document: Document, location: Location, value: Value, path: Path, read: Directives) -> None:
    if isinstance(value, list) and path:
        read.appends[path] = location
    elif isinstance(value, dict) and not (path and _holds_no_array(value)):
        for key, child in value.items():
            parts = parse_key(key)
            if parts is None:
                read.problems.append(directive_errors.not_a_key(key, document.key_span((*location, key))))
            else:
                _read_append(document, (*location, key), child, (*path, *parts), read)
    else:
        read.problems.append(directive_errors.append_not_an_array(path, document.span(location)))


def _holds_no_array(table: Mapping[str, Value]) -> bool:
    return not any(isinstance(value, list | dict) for value in table.values())
