"""How a comparison is put into words, whatever form they take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cfgc.audit.bundle_on_disk import Step
from cfgc.audit.comparing import DEFAULT, Change, Comparison
from cfgc.audit.comparing_points import MORE_OR_FEWER, POINTS
from cfgc.diagnostics.masking import masked_text
from cfgc.diagnostics.text import printable
from cfgc.emit.markdown import counted
from cfgc_runtime.values import ABSENT, Kind

_MEANING: Final[Mapping[Kind, str]] = {
    "numerics": "the loss curve changes",
    "resources": "memory, speed or cost, and the same loss curve",
    "logistics": "paths, names, logging: how it is run, not what",
}
_WITHOUT_A_LOSS: Final[Mapping[Kind, str]] = {
    "numerics": "what it computes may change",
    "resources": "memory, speed or cost, and the same results",
}
_OF_POINTS: Final = "memory, speed or cost, and the same loss curve of each point that both sides have"
_WITHOUT_A_LOSS_OF_POINTS: Final = "memory, speed or cost, and the same results of each point that both sides have"
_WIDEST: Final = 100
_AROUND: Final = 30
"""Characters that are shown before the first difference of long values."""


def verdict(comparison: Comparison) -> str:
    """The outcome in one sentence, without a full stop."""
    if comparison.is_same:
        return "the same, byte for byte"
    if comparison.worst is None:
        return "the same plan: nothing that differs changes what runs"
    counts = comparison.counts
    said = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
    return f"{counted(sum(counts.values()), 'change')}, the worst of class {comparison.worst}: {said}"


def meaning(comparison: Comparison, kind: Kind) -> str:
    """What a change of the class can do; a task has no loss curve, nor have the stages of a pipeline together."""
    sides = (comparison.old.values, comparison.new.values)
    trains = any(key.startswith("training.") for values in sides for key in values.get("numerics", ()))
    if kind == MORE_OR_FEWER and any(fact.subject == POINTS and fact.kind == kind for fact in comparison.facts):
        return _OF_POINTS if trains else _WITHOUT_A_LOSS_OF_POINTS
    return _MEANING[kind] if trains else _WITHOUT_A_LOSS.get(kind, _MEANING[kind])


def value_texts(old: Any, new: Any) -> tuple[str, str]:
    """Both values on a line each; long ones from where they begin to differ."""
    before, after = (ABSENT if value is ABSENT else printable(_json(value)) for value in (old, new))
    longest = max(len(before), len(after))
    shared = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = max(shared - _AROUND, 0) if longest > _WIDEST else 0
    return _cut(before, start), _cut(after, start)


def origin_text(steps: tuple[Step, ...]) -> str:
    """Where a value came from: its layer and what that wrote, or what the compiler computed it from."""
    if not steps:
        return ""
    newest = steps[0]
    if "derived" in newest:
        return printable(f"derived: {newest['derived']}")
    text = newest.get("text")
    return printable(f"{newest.get('layer')}: {masked_text(str(text))}" if text else str(newest.get("layer")))


def why(change: Change) -> str:
    """What a value follows from."""
    return DEFAULT if change.follows == DEFAULT else f"follows: {change.follows}"


def arrow(change: Change) -> str:
    """``800 → 400``."""
    return " → ".join(value_texts(change.old, change.new))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, start: int) -> str:
    shown = ("…" if start else "") + text[start:]
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 1] + "…"
