"""Draws are the same everywhere, stay in their range, and fill it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.sweep.draws import Range, draw, draw_place

SEEDS = st.integers(0, 2**63 - 1)
POSITIVE = st.floats(1e-9, 1e9)


def test_draws_are_these_numbers_on_every_machine() -> None:
    rates = Range(1e-5, 1e-2, "log")
    assert [draw(rates, 0, "training.learning_rate", index) for index in range(4)] == [
        0.000148944,
        8.07534e-05,
        5.29439e-05,
        0.00699471,
    ]
    assert [draw(Range(1, 8, "linear", integer=True), 0, "a", index) for index in range(6)] == [5, 2, 5, 6, 3, 6]
    assert [draw(Range(16, 1024, "log", integer=True), 0, "a", index) for index in range(4)] == [149, 29, 190, 344]
    assert [draw(Range(0, 0.3), 7, "b", 3)] == [draw(Range(0, 0.3), 7, "b", 3)]
    assert [draw_place(5, 1, "optimizer", index) for index in range(6)] == [
        draw_place(5, 1, "optimizer", i) for i in range(6)
    ]


@given(st.tuples(POSITIVE, POSITIVE).map(sorted), st.sampled_from(["linear", "log"]), SEEDS, st.integers(0, 10**6))
def test_a_draw_stays_in_its_range(ends: list[float], scale: str, seed: int, index: int) -> None:
    low, high = ends
    assert low <= draw(Range(low, high, scale), seed, "key", index) <= high  # type: ignore[arg-type]


@given(st.integers(-1000, 1000), st.integers(1, 1000), SEEDS, st.integers(0, 10**6))
def test_a_whole_draw_is_whole(low: int, length: int, seed: int, index: int) -> None:
    found = draw(Range(low, low + length, integer=True), seed, "key", index)
    assert isinstance(found, int)
    assert low <= found <= low + length


@given(st.integers(1, 10_000), SEEDS, st.integers(0, 10**6))
def test_a_place_is_one_of_them(count: int, seed: int, index: int) -> None:
    assert 0 <= draw_place(count, seed, "key", index) < count


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_draws_are_uniform(scale: str) -> None:
    span = Range(1e-5, 1e-1, scale)  # type: ignore[arg-type]
    found = [draw(span, 3, "key", index) for index in range(2000)]
    shares = [math.log10(x) / 4 + 1.25 if scale == "log" else (x - 1e-5) / (1e-1 - 1e-5) for x in found]
    counts = [sum(int(share * 10) == tenth for share in shares) for tenth in range(10)]
    assert min(counts) > 150
    assert max(counts) < 250


def test_whole_draws_reach_both_ends() -> None:
    assert {draw(Range(1, 4, integer=True), 0, "key", index) for index in range(60)} == {1, 2, 3, 4}


def test_keys_and_seeds_are_independent() -> None:
    span = Range(0, 1)
    first = [draw(span, 0, "a", index) for index in range(50)]
    assert first != [draw(span, 1, "a", index) for index in range(50)]
    assert first != [draw(span, 0, "b", index) for index in range(50)]
