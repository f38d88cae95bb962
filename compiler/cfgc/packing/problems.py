"""What keeps code from being packed: data, from which a rule makes findings."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = 8
"""Files that a finding lists."""


@dataclass(frozen=True)
class Problem:
    """``key`` is the key of ``[package]`` that is at fault, and ``text`` what is said under its value.

    ``inside`` leads to the element of a list that is meant.
    """

    code: str
    message: str
    key: str = "kind"
    text: str = ""
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    inside: tuple[int, ...] = ()


def listed(names: list[str]) -> str:
    """``a.py, b.py and 3 more``."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
