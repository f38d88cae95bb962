"""Replaced characters of a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cfgc.fixing.tree import CannotEditError


@dataclass(frozen=True)
class Splice:
    """``text`` in place of the characters ``start`` to ``end``."""

    start: int
    end: int
    text: str = ""


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """``text`` with all of ``splices``. Raises ``CannotEditError`` when two overlap."""
    pieces: list[str] = []
    position = 0
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        if splice.start < position:
            raise CannotEditError("two changes of the same characters")
        pieces += [text[position : splice.start], splice.text]
        position = splice.end
    return "".join([*pieces, text[position:]])


def newline_of(text: str) -> str:
    """How ``text`` ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def line_start(text: str, at: int) -> int:
    """Where the line of ``at`` begins."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Behind the newline of the line of ``at``; the end of the text on the last one."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1
