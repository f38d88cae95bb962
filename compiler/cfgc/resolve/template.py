"""Strings with ``${…}``: their text and their expressions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hole:
    """An expression in a string: its text, and where ``${`` starts, the text starts and ``}`` ends."""

    text: str
    start: int
    inside: int
    end: int


class UnclosedError(Exception):
    """A ``${`` without its ``}``; ``start`` is its place in the string."""

    def __init__(self, start: int) -> None:
        super().__init__("a `${` is not closed")
        self.start = start


def parse_template(text: str) -> tuple[str | Hole, ...]:
    """The pieces of ``text``; ``$${`` is the text ``${``. Raises ``UnclosedError``."""
    pieces: list[str | Hole] = []
    literal: list[str] = []
    position = 0
    while position < len(text):
        if text.startswith("$${", position):
            literal.append("${")
            position += 3
        elif text.startswith("${", position):
            hole = _hole(text, position)
            pieces += ["".join(literal)] if literal else []
            literal = []
            pieces.append(hole)
            position = hole.end
        else:
            literal.append(text[position])
            position += 1
    return (*pieces, "".join(literal)) if literal or not pieces else tuple(pieces)


def _hole(text: str, start: int) -> Hole:
    depth = 0
    for position in range(start, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return Hole(text[start + 2 : position], start, start + 2, position + 1)
    raise UnclosedError(start)


def escape(text: str) -> str:
    """``text`` as a string that stands for itself."""
    return text.replace("${", "$${")
