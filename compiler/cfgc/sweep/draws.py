"""Seeded draws: each is a function of the seed, the key and the point's number alone, on every machine and Python."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Literal

_BITS = 64
_EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)
"""Its logarithm and exponential are correctly rounded, which those of C libraries are not."""

DIGITS = 6
"""Significant digits of a drawn float: what a person can copy."""


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; whole ones where ``integer``."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    integer: bool = False


def draw(span: Range, seed: int, key: str, index: int) -> int | float:
    """A number of ``span`` for point ``index``: uniform, or uniform in its logarithm."""
    share = Decimal(_word(seed, key, index)) / (1 << _BITS)
    if span.integer and span.scale == "linear":
        return int(span.low) + _word(seed, key, index) * (int(span.high) - int(span.low) + 1) // (1 << _BITS)
    low, high = Decimal(span.low), Decimal(span.high)
    if span.scale == "linear":
        found = _EXACT.fma(share, high - low, low)
    else:
        bottom, top = _EXACT.ln(low), _EXACT.ln(high)
        found = _EXACT.exp(_EXACT.fma(share, top - bottom, bottom))
    if span.integer:
        whole = int(_EXACT.to_integral_value(found))
        return min(max(whole, int(span.low)), int(span.high))
    return min(max(float(f"{found:.{DIGITS}g}"), span.low), span.high)


def draw_place(count: int, seed: int, key: str, index: int) -> int:
    """Which of ``count`` values point ``index`` takes."""
    return _word(seed, key, index) * count // (1 << _BITS)


def _word(seed: int, key: str, index: int) -> int:
    """64 bits that nothing but its arguments decide."""
    return int.from_bytes(hashlib.sha256(f"{seed}\n{index}\n{key}".encode()).digest()[: _BITS // 8], "big")
