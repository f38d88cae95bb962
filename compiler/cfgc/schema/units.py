"""Durations and sizes, as people write them."""

from __future__ import annotations

import re

_TIME = r"(?:([0-9]{1,4})-)?([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])"
_NUMBER = r"([0-9]{1,18}(?:\.[0-9]{1,9})?)"
_AMOUNT = _NUMBER + r" ?(s|sec|min|m|h|d)"

DURATION = f"{_TIME}|{_AMOUNT}"
"""How a duration is spelt, as a regular expression."""

SIZE = _NUMBER + r" ?([KMGTP]i?B|B)"
"""How a size is spelt."""

_CLOCK, _SPAN, _SIZE = re.compile(_TIME), re.compile(_AMOUNT), re.compile(SIZE)

SECONDS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400}
"""Seconds in each unit of a duration."""

BYTES = {
    "B": 1,
    **{f"{p}B": 1000**i for i, p in enumerate("KMGTP", 1)},
    **{f"{p}iB": 1024**i for i, p in enumerate("KMGTP", 1)},
}
"""Bytes in each unit of a size."""


def parse_duration(text: str) -> int | None:
    """Whole seconds of ``"24:00:00"``, ``"1-12:00:00"``, ``"90min"``, ``"1.5h"``; None when it is none of these."""
    clock = _CLOCK.fullmatch(text.strip())
    if clock:
        days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return days * 86_400 + hours * 3_600 + minutes * 60 + seconds
    span = _SPAN.fullmatch(text.strip())
    return _whole(span.group(1), SECONDS[span.group(2)]) if span else None


def parse_size(text: str) -> int | None:
    """Bytes of ``"80GiB"`` (1024³ each) or ``"64GB"`` (1000³ each); None when it is neither."""
    found = _SIZE.fullmatch(text.strip())
    return _whole(found.group(1), BYTES[found.group(2)]) if found else None


def format_duration(seconds: int) -> str:
    """``86_400`` as ``"24:00:00"``."""
    return f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def format_size(size: int) -> str:
    """The shortest exact spelling in a binary or decimal unit: ``"80GiB"``, ``"64GB"``, ``"1000B"``."""
    best = f"{size}B"
    for unit, factor in BYTES.items():
        whole, rest = divmod(size, factor)
        if size and not rest and len(f"{whole}{unit}") < len(best):
            best = f"{whole}{unit}"
    return best


def _whole(number: str, factor: int) -> int | None:
    """``number`` × ``factor``, exact; None when the outcome is not whole."""
    digits, _, decimals = number.partition(".")
    scaled = int(digits + decimals) * factor
    whole, rest = divmod(scaled, 10 ** len(decimals))
    return None if rest else whole
