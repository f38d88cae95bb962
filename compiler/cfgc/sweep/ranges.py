"""A range to draw from, as it was written: ``{ low = 1e-5, high = 1e-2, scale = "log" }``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from cfgc.diagnostics import Diagnostic
from cfgc.origin import Origin, Value
from cfgc.sweep import errors
from cfgc.sweep.draws import Range

PARTS: Final = ("low", "high", "scale", "integer")
_EXAMPLE: Final = '`{ low = 1e-5, high = 1e-2, scale = "log" }`, or `{ low = 1, high = 8, integer = true }`'


def range_of(name: str, said: Mapping[str, Origin]) -> Range | Diagnostic:
    """The range of the parameter ``name``, or CFG652."""
    values = {part: origin.value for part, origin in said.items()}
    low, high = _number(values.get("low")), _number(values.get("high"))
    scale, integer = values.get("scale", "linear"), values.get("integer", False)
    first = next(iter(said))
    if low is None or high is None:
        return errors.bad_range(name, "needs two numbers, `low` and `high`", said[first].span, _EXAMPLE)
    wrong = [
        ("scale", scale not in ("linear", "log"), 'has the scale "linear" or "log"'),
        ("integer", not isinstance(integer, bool), "has `integer = true` or nothing"),
        ("low", low >= high, f"is empty: it goes from {low} to {high}"),
        ("low", scale == "log" and low <= 0, f"has no logarithm at `low = {low}`"),
        (
            "integer",
            integer is True and not (float(low).is_integer() and float(high).is_integer()),
            "has no whole ends",
        ),
    ]
    found = next(((part, message) for part, holds, message in wrong if holds), None)
    if found:
        return errors.bad_range(name, found[1], said[found[0]].span, _EXAMPLE)
    return Range(low, high, "log" if scale == "log" else "linear", integer is True)


def _number(value: Value | None) -> int | float | None:
    """``value`` where it is a finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if is_number and isinstance(value, int | float) else None
