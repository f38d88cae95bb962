"""The known word that a mistyped one probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cfgc.lookalike import as_ascii

MOST = 1_000
"""Words that are compared; no schema has more keys, but a text may."""
MAX_LENGTH = 100
"""Characters of a word that is compared; a longer one is no mistyped key."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The word of ``known`` with the fewest typing mistakes to ``word``; None when all are too far off."""
    if len(word) > MAX_LENGTH:
        return None
    word = as_ascii(word)
    limit = max(1, len(word) // 3)
    words = [candidate for candidate in known if abs(len(candidate) - len(word)) <= limit]
    if len(words) > MOST:
        words = sorted(words, key=lambda candidate: (abs(len(candidate) - len(word)), candidate))[:MOST]
    scored = [(typing_distance(word.lower(), candidate.lower(), limit), candidate) for candidate in words]
    close = [(distance, candidate) for distance, candidate in scored if distance <= limit]
    return min(close)[1] if close else None


def clearly_nearest(word: str, known: Iterable[str]) -> str | None:
    """The same, where no second word is as near."""
    word = as_ascii(word)
    words = dict.fromkeys(known)
    close = nearest(word, words)
    if close is None:
        return None
    distance = typing_distance(word.lower(), close.lower(), len(word))
    others = (typing_distance(word.lower(), other.lower(), distance) for other in words if other != close)
    return None if any(other <= distance for other in others) else close


@lru_cache(maxsize=1 << 14)
def typing_distance(first: str, second: str, limit: int) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours between two words; ``limit`` + 1 when more."""
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit and min(before) >= limit:
            return limit + 1
    return row[-1]
