"""The key that an unknown name was probably meant to be: mistyped, or of the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cfgc.lookalike import as_ascii
from cfgc.nearest import MAX_LENGTH, nearest, typing_distance

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SAYS_LITTLE = {"config", "enable", "enabled", "num", "of", "on", "per", "size", "steps", "the", "use", "value"}
"""Words that many keys have: one of them alone makes no key of another."""
_SURE = 6
"""Letters of a name for each typing mistake that leaves no doubt about it."""


def resembling(name: str, known: Sequence[str]) -> tuple[str | None, bool]:
    """The known name that ``name`` was meant to be, and whether no other can be; None when nothing is like it."""
    if len(name) > MAX_LENGTH:
        return None, False
    if same := _same_words(name, known):
        return same, True
    near = nearest(name, known)
    if near and _mistakes(name, near) <= max(1, len(name) // _SURE):
        return near, True
    return _sharing_words(name, known) or near, False


def _mistakes(name: str, known: str) -> int:
    return typing_distance(as_ascii(name).lower(), known.lower(), MAX_LENGTH)


def words_of(name: str) -> list[str]:
    """``gradientAccumulation_steps`` as its words."""
    return [word.lower() for word in _WORDS.findall(as_ascii(name))]


def _same_words(name: str, known: Iterable[str]) -> str | None:
    words = sorted(words_of(name))
    return next((other for other in known if len(words) > 1 and sorted(words_of(other)) == words), None)


def _sharing_words(name: str, known: Iterable[str]) -> str | None:
    """The only key that has all of the words, or all of whose words are there."""
    words = set(words_of(name))
    inside = [other for other in known if _telling(words) and words < set(words_of(other))]
    around = [other for other in known if _telling(words_of(other)) and words > set(words_of(other))]
    found = inside or around
    return found[0] if len(found) == 1 else None


def _telling(words: Iterable[str]) -> bool:
    return any(len(word) > 1 and word not in _SAYS_LITTLE for word in words)
