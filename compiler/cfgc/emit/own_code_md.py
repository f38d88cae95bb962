"""PLAN.md's words on the user's own code."""

from __future__ import annotations

from cfgc.emit.literals import literal_of
from cfgc.emit.markdown import code, table, text
from cfgc.lower.plan import Call, Plan

_WHAT = {
    "model": "model",
    "data": "samples",
    "optimizer": "optimizer",
    "loss": "loss",
    "metric": "metric",
    "task": "task",
}


def own_code(plan: Plan) -> list[str]:
    """A table of the functions that wiring.py calls; nothing where there are none."""
    if not plan.calls:
        return []
    rows = [(_named(call), code(f"{call.module}:{call.attribute}"), _arguments(call)) for call in plan.calls]
    where = "Found in the package below, else" if plan.package.sha256 else "No part of this bundle, and found"
    note = f"{where} by Python's import on the node; run.json keeps digests of what was imported."
    return ["## Own code", "", *table(("what", "function", "arguments"), rows), "", note]


def _named(call: Call) -> str:
    return f"{_WHAT[call.role]} {text(call.name)}" if call.name else _WHAT[call.role]


def _arguments(call: Call) -> str:
    shown = (f"{name}={literal_of(value, 0, 0)}" for name, value in call.arguments.items())
    return " ".join(code(one) for one in shown)


def target_of(plan: Plan, role: str) -> str:
    """What is named for ``role``; empty where nothing is."""
    return next((f"{call.module}:{call.attribute}" for call in plan.calls if call.role == role), "")
