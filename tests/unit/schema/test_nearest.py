from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.nearest import nearest, typing_distance

WORDS = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("lerning_rate", "learning_rate"),
        ("bacth_size", "batch_size"),
        ("Learning_Rate", "learning_rate"),
        ("colour", None),
        ("x", None),
        ("", None),
    ],
)
def test_typing_mistakes(word: str, meant: str | None) -> None:
    assert nearest(word, ["learning_rate", "batch_size", "max_steps"]) == meant


def test_nothing_is_near_to_no_words() -> None:
    assert nearest("a", []) is None


@given(WORDS, WORDS)
def test_a_distance_is_symmetric_and_zero_for_equal_words(first: str, second: str) -> None:
    assert typing_distance(first, second, 6) == typing_distance(second, first, 6)
    assert (typing_distance(first, second, 6) == 0) == (first == second)
