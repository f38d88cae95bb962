"""Divisors near a number, looked for in a few thousand steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable

FAR = 4096
"""Candidates that are tried on each side."""


def divisor_below(number: int, near: int, fits: Callable[[int], bool] = bool) -> int:
    """The largest divisor of ``number`` that is at most ``near`` and fits; 0 when none is found."""
    start = min(near, number)
    return _first(number, range(start, max(0, start - FAR), -1), fits)


def divisor_above(number: int, near: int, fits: Callable[[int], bool] = bool) -> int:
    """The smallest divisor of ``number`` that is at least ``near`` and fits; 0 when none is found."""
    return _first(number, range(near, min(number, near + FAR) + 1), fits)


def nearest_divisor(number: int, near: int, fits: Callable[[int], bool] = bool) -> int:
    """The nearer of the two; 0 when there is none."""
    found = [d for d in (divisor_below(number, near, fits), divisor_above(number, near, fits)) if d]
    return min(found, key=lambda divisor: abs(divisor - near), default=0)


def _first(number: int, candidates: Iterable[int], fits: Callable[[int], bool]) -> int:
    return next((d for d in candidates if number % d == 0 and fits(d)), 0)
