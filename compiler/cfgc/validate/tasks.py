"""A spec whose ``[task]`` names a function or a script: what of it belongs to training is no part of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic
from cfgc.schema.spec import Spec, TaskSpec
from cfgc.validate.missing import dotted
from cfgc.validate.places import from_layer, key_label, value_label
from cfgc.validate.remedy import Remedy, one_fix

if TYPE_CHECKING:
    from cfgc.origin import Path
    from cfgc.resolve.resolved import Resolved

NAMING = ("task.target", "task.script", "task.inline")
OF_TRAINING = frozenset(Spec.model_fields) - frozenset(TaskSpec.model_fields)
"""Sections that a task never reads."""


def names_a_task(resolved: Resolved) -> str:
    """The key of ``[task]`` that names what to run in place of training; empty for a spec that trains or evaluates.

    One whose ``${…}`` came to nothing names a task all the same.
    """
    texts = {path: leaf.value for path, leaf in resolved.leaves.items()}
    texts |= {path: origin.value for path, origin in resolved.unresolved.items()}
    named = (key for key in NAMING if isinstance(texts.get(tuple(key.split("."))), str))
    kind = resolved.get("task.kind")
    return next(named, "task.kind" if kind and kind.value == "export" else "")


def without_training(resolved: Resolved) -> tuple[Resolved, tuple[Diagnostic, ...]]:
    """``resolved`` without the sections of training, where a task is named; and a finding for each that is written.

    Defaults of those sections say nothing, so that they leave no trace.
    """
    naming = names_a_task(resolved)
    if not naming:
        return resolved, ()
    leaves = {path: leaf for path, leaf in resolved.leaves.items() if path[0] not in OF_TRAINING}
    if leaves.get(("task", "kind")) and leaves["task", "kind"].origin.span is None:
        del leaves["task", "kind"]
    return replace(resolved, leaves=MappingProxyType(leaves)), tuple(_ignored(resolved, naming))


def _ignored(resolved: Resolved, naming: str) -> Iterator[Diagnostic]:
    """CFG474, one for each section of training, and for a ``[task] kind`` of another task."""
    sections: dict[str, list[Path]] = {}
    for path, leaf in resolved.leaves.items():
        if path[0] in OF_TRAINING and leaf.origin.span:
            sections.setdefault(path[0], []).append(path)
    for section, paths in sections.items():
        yield _of_training(resolved, section, paths, naming)
    kind = resolved.get("task.kind")
    said = {"task.target": "function", "task.kind": "export"}.get(naming, "script")
    if kind and kind.origin.span and kind.value != said:
        yield Diagnostic(
            "CFG474",
            f"`task.kind` says another task than `{naming}`",
            value_label(resolved, ("task", "kind"), ""),
            secondary=tuple(filter(None, [key_label(resolved, tuple(naming.split(".")), "what every rank runs")])),
            helps=("drop `kind`: what `[task]` names says it",),
            fixes=one_fix(Remedy(resolved).drop(("task", "kind"))),
        )


def _of_training(resolved: Resolved, section: str, paths: list[Path], naming: str) -> Diagnostic:
    origins = [resolved.leaves[path].origin for path in paths]
    layer = from_layer(origins[0])
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    task = key_label(resolved, tuple(naming.split(".")), "what every rank runs instead")
    edits = [edit for path in paths for edit in Remedy(resolved).take_back(path)]
    return Diagnostic(
        "CFG474",
        f"`[{section}]` belongs to training, and this spec has a task of its own",
        key_label(resolved, paths[0], f"`{dotted(paths[0])}`{more} would be ignored"),
        secondary=(task,) if task else (),
        notes=("a function or a script gets its settings as `arguments` or `args`",),
        helps=(
            f"do not choose what sets it ({layer})" if layer else f"remove `[{section}]`, or drop `{naming}` to train",
        ),
        fixes=one_fix(edits),
    )
