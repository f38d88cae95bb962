"""Overrides as layers: what each changes, given all that stands before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load import override_errors as errors
from cfgc.load.directives import value_at, values_at
from cfgc.load.graph import LayerPatch, defaults_of
from cfgc.load.overrides import Edit
from cfgc.origin import Layer, Origin, Path, Value, kind_of
from cfgc.patch import Patch, Tree, apply_over
from cfgc.source import Span

LAYER = Layer("command line")

_ONE_EXPRESSION = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True)
class Overridden:
    """The layers of the overrides; why some have none, and the keys that those were to change."""

    layers: list[LayerPatch] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)


def override_layers(edits: Sequence[Edit], below: Sequence[LayerPatch]) -> Overridden:
    """One layer for each of ``edits``, left to right, over the layers ``below``."""
    defaults = defaults_of(below)
    tree: Tree = {}
    for layer in below:
        tree = apply_over(defaults, layer.patch, tree)
    done = Overridden()
    for edit in edits:
        try:
            patch = _patch(edit, tree)
        except Rejected as rejected:
            done.problems.extend(rejected.diagnostics)
            done.unchanged.extend([] if edit.everywhere else [edit.path])
            continue
        done.layers.append(LayerPatch(LAYER, patch))
        tree = apply_over(defaults, patch, tree)
    return done


def _patch(edit: Edit, tree: Tree) -> Patch:
    paths = _targets(edit, tree) if edit.everywhere else [edit.path]
    if edit.operator == "~":
        return Patch(unsets=MappingProxyType(dict.fromkeys(paths, edit.key)))
    sets: dict[Path, Origin] = {}
    tables: dict[Path, Span] = {}
    for path in paths:
        if edit.operator == "=":
            written = _written(edit, path)
            sets.update(written.sets)
            tables.update(written.tables)
        else:
            sets[path] = _walked(edit, path, tree)
    return Patch(sets=MappingProxyType(sets), tables=MappingProxyType(tables))


def _targets(edit: Edit, tree: Tree) -> list[Path]:
    depth = len(edit.path)
    found = [path for path in tree if path[-depth:] == edit.path]
    if not found:
        raise Rejected([errors.no_leaf_of_that_name(edit.path, {path[-1] for path in tree}, edit.key)])
    return found


def _written(edit: Edit, path: Path) -> Patch:
    assert edit.value is not None
    patch = values_at(edit.value, LAYER, ("x",), path)
    if patch.tables or len(patch.sets) != 1:
        return patch
    [(own, origin)] = patch.sets.items()
    return Patch(sets={own: replace(origin, key_span=edit.key)})


def _walked(edit: Edit, path: Path, tree: Tree) -> Origin:
    """``${(what stands there) * 2}``: the resolver computes it, so that a walk over ``${…}`` stays one."""
    assert edit.value is not None
    now = tree.get(path)
    if now is None:
        raise Rejected([errors.nothing_to_change(path, list(tree), edit.key)])
    start = _expression(now.value)
    if start is None:
        raise Rejected([errors.not_a_number_to_change(path, kind_of(now.value), edit.key, now.span)])
    by = value_at(edit.value.tree, ("x",))
    span = edit.value.span(("x",))
    change = _expression(by)
    if change is None:
        raise Rejected([errors.not_a_number_to_change_by(kind_of(by), span)])
    return Origin(LAYER, f"${{{start} {edit.operator} {change}}}", span, edit.key)


def _expression(value: Value) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return repr(value) if value >= 0 else f"({value!r})"
    found = _ONE_EXPRESSION.fullmatch(value) if isinstance(value, str) else None
    return f"({found.group(1)})" if found else None


def changed_paths(edits: Sequence[Edit]) -> Iterator[Path]:
    """Keys that the command line itself decides, whatever stood there."""
    return (edit.path for edit in edits if edit.operator in {"=", "~"} and not edit.everywhere)
