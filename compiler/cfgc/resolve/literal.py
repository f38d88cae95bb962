"""Places inside a string, as it is written."""

from __future__ import annotations

import re

from cfgc.source import Span

_UNIT = re.compile(r"\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\\s*\n\s*|\\.|\r\n|.", re.DOTALL)


def inside(span: Span, value: str, start: int, end: int) -> Span:
    """Characters ``start`` to ``end`` of the string ``value`` that ``span`` holds; all of it for another text."""
    offsets = _offsets(span.text, value)
    if offsets is None:
        return span
    return Span(span.source, span.start + offsets[start], span.start + offsets[end])


def _offsets(raw: str, value: str) -> list[int] | None:
    """Where each character of ``value``, and its end, stands in ``raw``."""
    if raw == value:
        return list(range(len(raw) + 1))
    quote = next((q for q in ('"""', "'''", '"', "'") if raw.startswith(q)), None)
    if quote is None:
        return None
    begin = len(quote)
    if len(quote) == 3:
        begin += 2 if raw.startswith("\r\n", begin) else raw.startswith("\n", begin)
    offsets = []
    position, stop = begin, len(raw) - len(quote)
    while position < stop:
        unit = _UNIT.match(raw, position)
        assert unit is not None
        length = unit.end() - position
        escaped = quote[0] == '"' and raw[position] == "\\"
        if not escaped:
            length = 2 if unit.group() == "\r\n" else 1
        if not (escaped and "\n" in unit.group()):
            offsets.append(position)
        position += length
    offsets.append(stop)
    return offsets if len(offsets) == len(value) + 1 else None
