"""Where in the sources a finding about a key belongs."""

from __future__ import annotations

from typing import TypeAlias

from cfgc.diagnostics import Label
from cfgc.origin import Leaf, Origin
from cfgc.resolve.resolved import Resolved
from cfgc.source import SourceFile, Span

Location: TypeAlias = tuple[str | int, ...]
"""Keys and array positions, from the root of the spec."""


def leaf_at(resolved: Resolved, location: Location) -> tuple[Leaf, Location] | None:
    """The leaf that holds ``location`` and the position inside its value; None when nothing was written there."""
    for length in range(len(location), 0, -1):
        head = location[:length]
        if any(isinstance(part, int) for part in head):
            continue
        leaf = resolved.leaves.get(tuple(str(part) for part in head))
        if leaf:
            return leaf, location[length:]
    return None


def value_label(resolved: Resolved, location: Location, text: str) -> Label | None:
    """A label on the value at ``location``, saying which layer it comes from unless that is the spec itself."""
    found = leaf_at(resolved, location)
    if not found:
        return first_below(resolved, location, text)
    leaf, inside = found
    span = _inner(leaf.origin, inside) or leaf.origin.span
    return Label(span, with_layer(text, leaf.origin)) if span else None


def key_label(resolved: Resolved, location: Location, text: str) -> Label | None:
    """A label on the key of ``location``; for an element of an array, on that element."""
    found = leaf_at(resolved, location)
    if not found:
        return first_below(resolved, location, text)
    leaf, inside = found
    span = _inner_key(leaf.origin, inside) or leaf.origin.span
    return Label(span, with_layer(text, leaf.origin)) if span else None


def first_below(resolved: Resolved, location: Location, text: str) -> Label | None:
    """A label on the header of the table at ``location``, or else on the first key written below it."""
    path = tuple(str(part) for part in location)
    for layer in reversed(resolved.graph.layers):
        if path in layer.patch.tables:
            return Label(layer.patch.tables[path], text)
    for known, leaf in resolved.leaves.items():
        if known[: len(path)] == path and (leaf.origin.key_span or leaf.origin.span):
            span = leaf.origin.key_span or leaf.origin.span
            return Label(span, with_layer(text, leaf.origin)) if span else None
    return None


def header_label(resolved: Resolved, location: Location, text: str) -> Label:
    """A label where a missing key would go: the header of its table in the spec itself, or the spec's first line."""
    for length in range(len(location), 0, -1):
        path = tuple(str(part) for part in location[:length])
        for layer in resolved.graph.layers:
            if layer.layer.kind == "spec" and path in layer.patch.tables:
                return Label(layer.patch.tables[path], text)
    return Label(first_line(resolved.graph.root), text)


def first_line(source: SourceFile) -> Span:
    """The first line that says something; the first one of an empty text."""
    lines = source.text.split("\n")
    number = next((n for n, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith("#")), 1)
    start = source.line_starts[number - 1]
    return Span(source, start, start + len(source.line_text(number)))


def from_layer(origin: Origin) -> str:
    """`from the overlay zero=2`: nothing for a value of the spec itself."""
    layer = origin.layer
    if layer.kind == "overlay":
        return f"from the overlay {layer.choice}"
    if layer.kind == "base":
        return f"from the base {layer.name}"
    if layer.kind == "project":
        return f"from {layer.name}"
    if layer.kind == "stage":
        return f"from the stage {layer.choice}"
    return ""


def with_layer(text: str, origin: Origin) -> str:
    """``text`` and the layer that the value comes from."""
    layer = from_layer(origin)
    if not text or not layer:
        return text or layer
    return f"{text} ({layer})" if text.endswith("?") else f"{text}, {layer}"


def _inner_key(origin: Origin, inside: Location) -> Span | None:
    if not inside:
        return origin.key_span
    return origin.inner_keys.get(inside) or _inner(origin, inside)


def _inner(origin: Origin, inside: Location) -> Span | None:
    for length in range(len(inside), 0, -1):
        span = origin.inner.get(inside[:length])
        if span:
            return span
    return None
