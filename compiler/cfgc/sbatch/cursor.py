"""Where a script is read, and what is open there: quotes, ``${…}`` and sums, in which no commands stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_SECOND_READINGS = 8
"""``((`` is a sum, unless what follows shows that it is two subshells; then it is read again."""

_QUOTED = re.compile(r"[^\\\"`$]+")
_SINGLE = re.compile(r"'[^']*'")
_TICKS = re.compile(r"`(?:[^`\\]|\\.)*`", re.DOTALL)
_DEFAULT = re.compile(r"\$\{\w+(?:\[[^]]{0,80}\])?:?[-+=?]")


@dataclass
class Open:
    """Something that was opened at ``place``, by ``word``. ``patterns``: a ``case`` that waits for one."""

    word: str
    place: int
    patterns: bool = False


@dataclass(frozen=True)
class Fault:
    """``word``, opened at ``place``, was open when ``closer`` came at ``end``, or the end of the file.

    Without a ``place`` nothing was open that ``closer`` could close.
    """

    word: str
    place: int | None
    closer: str = ""
    end: int | None = None


class TooHardError(Exception):
    """It would be read again too often."""


@dataclass
class Cursor:
    """A place in ``text``. ``start``: whether a command may begin here. ``fault`` is the first one.

    ``posix``: sh reads it, for which the quote in ``"${name:-it's}"`` is one more character, and not for bash.
    """

    text: str
    posix: bool = False
    at: int = 0
    start: bool = True
    opened: list[Open] = field(default_factory=list)
    no_sums: set[int] = field(default_factory=set)
    fault: Fault | None = None

    def push(self, word: str, length: int) -> None:
        """Step into what ``word`` opens here."""
        self.opened.append(Open(word, self.at))
        self.at += length

    def pop(self, length: int = 1) -> None:
        """Step out of it."""
        self.opened.pop()
        self.at += length

    def take(self, pattern: re.Pattern[str], word: str) -> None:
        """Step over something that ends where ``pattern`` says, whatever it holds."""
        found = pattern.match(self.text, self.at)
        if found is None:
            self.fault = Fault(word, self.at)
        else:
            self.at = found.end()

    def opens(self) -> bool:
        """Step over, or into, what begins here in quotes and outside of them alike."""
        here = self.text[self.at : self.at + 3]
        if here[0] == "\\":
            self.at += 2
        elif here[0] == "`":
            self.take(_TICKS, "`")
        elif here == "$((" and self.at not in self.no_sums:
            self.push("$((", 3)
        elif here[:2] in {"$(", "${"}:
            self.start = here[:2] == "$("
            self.push(here[:2], 2)
        else:
            return False
        return True

    def quoted(self) -> None:
        """Step over ``'…'``."""
        self.take(_SINGLE, "'")

    def in_quotes(self) -> None:
        """One piece of ``"…"``."""
        plain = _QUOTED.match(self.text, self.at)
        if plain:
            self.at = plain.end()
        elif self.text[self.at] == '"':
            self.pop()
        elif not self.opens():
            self.at += 1

    def in_braces(self) -> None:
        """One piece of ``${…}``."""
        here = self.text[self.at]
        if here == "}":
            self.pop()
        elif here == '"':
            self.push('"', 1)
        elif here == "'" and not self._is_literal():
            self.quoted()
        elif not self.opens():
            self.at += 1

    def _is_literal(self) -> bool:
        if not self.posix:
            return False
        around = next((one.word for one in reversed(self.opened) if one.word != "${"), "")
        return around == '"' and _DEFAULT.match(self.text, self.opened[-1].place) is not None

    def in_a_sum(self) -> None:
        """One piece of ``((…))`` or ``$((…))``."""
        here = self.text[self.at : self.at + 2]
        top = self.opened[-1]
        if here[0] == ")" and top.word == "sum(":
            self.pop()
        elif here == "))":
            self.start = top.word == "(("
            self.pop(2)
        elif here[0] == ")":
            self._read_as_commands(top)
        elif here[0] == "(":
            self.push("sum(", 1)
        elif here[0] == '"':
            self.push('"', 1)
        elif not self.opens():
            self.at += 1

    def _read_as_commands(self, top: Open) -> None:
        if len(self.no_sums) >= MOST_SECOND_READINGS:
            raise TooHardError
        self.no_sums.add(top.place)
        self.opened.pop()
        self.at, self.start = top.place, True
