"""All layers into one tree, and what they disagree about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from cfgc.diagnostics import Diagnostic
from cfgc.load.graph import LayerPatch, defaults_of
from cfgc.origin import Origin, Path
from cfgc.patch import Patch, PathSet, Tree, apply_over, compose, empty_map
from cfgc.resolve import errors
from cfgc.source import Span


@dataclass(frozen=True)
class Merged:
    """The merged leaves; the last unset of each key that has no value any more; and what the layers disagree about.

    ``tables`` are the headers that were written, ``defaults`` what an unset key falls back to.
    """

    tree: Tree
    removed: Tree
    problems: list[Diagnostic]
    tables: Mapping[Path, Span]
    defaults: Tree


NOTHING = Merged(empty_map(), empty_map(), [], empty_map(), empty_map())
"""What layers are merged onto at first."""


def merge_layers(layers: Sequence[LayerPatch], onto: Merged = NOTHING) -> Merged:
    """All of ``layers``, lowest first; where two disagree the later one wins. ``onto`` is what lies below them."""
    defaults = onto.defaults or defaults_of(layers)
    merged = Patch(sets=onto.tree, tables=onto.tables)
    removed: dict[Path, Origin] = dict(onto.removed)
    problems: list[Diagnostic] = list(onto.problems)
    for layer in layers:
        problems += _missing_unsets(merged, layer.patch)
        bare = compose(merged, Patch(unsets=layer.patch.unsets))
        problems += _conflicts(bare, layer.patch)
        tables = compose(merged, layer.patch).tables
        removed |= _removals(layer, merged.sets)
        tree = {
            path: _above(origin, removed.pop(path)) if path in removed else origin
            for path, origin in apply_over(defaults, layer.patch, merged.sets).items()
        }
        merged = Patch(sets=MappingProxyType(tree), tables=tables)
    return Merged(merged.sets, removed, problems, merged.tables, defaults)


def _removals(layer: LayerPatch, tree: Tree) -> Iterator[tuple[Path, Origin]]:
    """What ``layer`` unsets of ``tree``, with the place of the unset and what stood there."""
    unset = layer.patch.unsets
    for path, origin in tree.items() if unset else ():
        cut = next((path[:depth] for depth in range(len(path), 0, -1) if path[:depth] in unset), None)
        if cut and origin.span:
            yield path, Origin(layer.layer, "unset", unset[cut], unset[cut], replaced=origin, removed=True)


def _above(origin: Origin, below: Origin) -> Origin:
    """``origin`` with ``below`` at the end of its chain."""
    for upper in reversed(list(origin.chain())):
        below = replace(upper, replaced=below)
    return below


def _missing_unsets(merged: Patch, patch: Patch) -> Iterator[Diagnostic]:
    written = PathSet([*_written(merged), *merged.tables])
    for path, span in patch.unsets.items():
        if not written.holds(path):
            by_default = PathSet(merged.sets).holds(path)
            yield errors.nothing_to_unset(path, list(_written(merged)), span, by_default)


def _written(merged: Patch) -> dict[Path, Origin]:
    """The leaves that are more than defaults."""
    return {path: origin for path, origin in merged.sets.items() if origin.span}


def _conflicts(merged: Patch, patch: Patch) -> Iterator[Diagnostic]:
    """Values over tables and tables over values; a default gives way, and the schema judges what replaced it."""
    written = _written(merged)
    reported: set[Path] = set()
    tables = PathSet(written)
    for path, key in _written_keys(patch):
        above = next((path[:n] for n in range(1, len(path) + 1) if path[:n] in written), None)
        is_table = path in patch.tables
        if above is not None and (is_table or above != path) and above not in reported:
            reported.add(above)
            yield errors.table_over_value(above, key, written[above])
        if not is_table:
            below = _table_place(path, written, merged) if path in merged.tables or tables.is_above(path) else None
            if below:
                yield errors.value_over_table(path, key, below)
    yield from _conflicts_inside(patch)
    for path, origin in patch.appends.items():
        held = patch.sets.get(path) or merged.sets.get(path)
        if held is not None and not isinstance(held.value, list):
            yield errors.append_to_no_array(path, origin, held)


def _conflicts_inside(patch: Patch) -> Iterator[Diagnostic]:
    """One layer that sets a value and appends below it, or appends to a table that it sets."""
    for path, origin in patch.appends.items():
        above = next((path[:n] for n in range(1, len(path)) if path[:n] in patch.sets), None)
        if above is not None:
            yield errors.table_over_value(above, origin.key_span, patch.sets[above])
            continue
        below = _table_place(path, dict(patch.sets), patch)
        if below:
            yield errors.value_over_table(path, origin.key_span, below)


def _written_keys(patch: Patch) -> Iterator[tuple[Path, Span | None]]:
    yield from patch.tables.items()
    for path, origin in (*patch.sets.items(), *patch.appends.items()):
        yield path, origin.key_span


def _table_place(path: Path, written: dict[Path, Origin], merged: Patch) -> Span | None:
    """Where the table that ``path`` would replace is written: its header, or else the first key in it."""
    if path in merged.tables:
        return merged.tables[path]
    depth = len(path)
    return next(
        (origin.key_span for other, origin in written.items() if len(other) > depth and other[:depth] == path), None
    )
