"""Jobs that start again, and jobs that wait for others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Label
from cfgc.sbatch.rules.common import at
from cfgc.sbatch.script import Script
from cfgc.sbatch.shell import expanded
from cfgc.sbatch.steps import is_work
from cfgc.sbatch.traps import traps
from cfgc.sbatch.values import refused_value

if TYPE_CHECKING:
    from tree_sitter import Node


def requeue_whatever_happened(script: Script) -> Iterator[Diagnostic]:
    """``scontrol requeue`` on any failure."""
    if "SLURM_RESTART_COUNT" in script.source.text:
        return
    for command in script.named("scontrol"):
        if "requeue" not in command.words and "requeuehold" not in command.words:
            continue
        if _is_after_any_failure(script, command.node):
            yield _requeued(at(command))
    for trap in traps(script):
        asks = re.search(r"\bif\b|\[\[?\s|\bcase\b|\(\(|&&", trap.code)
        if trap.signals & {"EXIT", "ERR"} and re.search(r"scontrol\s+requeue", trap.code) and not asks:
            yield _requeued(at(trap.command))


def _is_after_any_failure(script: Script, node: Node) -> bool:
    for_any = False
    while node.parent is not None:
        parent = node.parent
        if parent.type == "function_definition":
            return False
        if parent.type == "list" and node == parent.children[-1] and script.text_of(parent.children[-2]) == "||":
            for_any |= any(is_work(one) for one in script.commands_in(parent.children[0]))
        if parent.type == "if_statement":
            return for_any or _asks_for_any_failure(script, parent)
        node = parent
    return for_any


def _asks_for_any_failure(script: Script, node: Node) -> bool:
    condition = node.child_by_field_name("condition")
    if condition is None or any(child.type in {"elif_clause", "else_clause"} for child in node.named_children):
        return False
    text = " ".join(script.text_of(condition).split())
    works = any(is_work(one) for one in script.commands_in(condition))
    return bool(re.fullmatch(r"\[\[? \"?\$\?\"? (-ne|!=|-gt) 0 \]\]?|\(\( ?\$\? ?(!= ?0)? ?\)\)", text)) or (
        works and text.startswith("! ")
    )


_BOUNDED = (
    "requeue after a save that says so, a few times: "
    'if ((code == 75 && ${SLURM_RESTART_COUNT:-0} < 3)); then scontrol requeue "$SLURM_JOB_ID"; fi'
)


def _requeued(label: Label) -> Diagnostic:
    return Diagnostic(
        "CFG682",
        "any failure starts the job again, for ever",
        label,
        notes=("a typing mistake fails the same way each time, and Slurm does not limit how often a job starts",),
        helps=(_BOUNDED,),
    )


def waits_for_ever(script: Script) -> Iterator[Diagnostic]:
    """A dependency on success without ``--kill-on-invalid-dep``."""
    for command in script.named("sbatch"):
        words = expanded(command)
        text = " ".join(words)
        if re.search(r"(--dependency[= ]|-d ?)\"?[^ ]*afterok", text) and "kill-on-invalid" not in text:
            yield _for_ever(at(command))
    found = script.directive("--dependency")
    waits = found and "afterok" in found.value and not refused_value(found.name, found.value)
    if found and waits and not script.directive("--kill-on-invalid-dep"):
        yield _for_ever(at(found))


def _for_ever(label: Label) -> Diagnostic:
    return Diagnostic(
        "CFG694",
        "when the job before it fails, this one stays in the queue for ever",
        label,
        notes=("its reason is DependencyNeverSatisfied then, unless the site sets kill_invalid_depend",),
        helps=("add --kill-on-invalid-dep=yes",),
        severity="warning",
    )


RULES = (requeue_whatever_happened, waits_for_ever)
