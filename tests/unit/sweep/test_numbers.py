"""Numbers of points, for people and for Slurm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cfgc.sweep.numbers import listed, told


def expanded(text: str) -> list[int]:
    pairs = [part.partition("-") for part in text.split(",") if part]
    return [index for first, _, last in pairs for index in range(int(first), int(last or first) + 1)]


@given(st.sets(st.integers(0, 2000)))
def test_what_is_listed_is_every_number_once(which: set[int]) -> None:
    assert expanded(listed(list(which))) == sorted(which)


def test_people_are_told_the_first_ones() -> None:
    assert told([3]) == "3"
    assert told([0, 1, 2, 7]) == "0-2 and 7"
    assert told([0, 1, 2, 7, 12]) == "0-2, 7 and 12"
    assert told(range(0, 40, 2)) == "0, 2, 4, 6, 8, 10, 12, 14 and 12 more"
