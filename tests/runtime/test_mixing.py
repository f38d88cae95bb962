"""Sources come up by their shares, at any position without a simulation."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.arithmetic.data import shares
from cfgc_runtime.data.mixing import BLOCK, Mixture, shares_by_size
from cfgc_runtime.data.order import MixedOrder
from tests.runtime.documents import batch

pytestmark = pytest.mark.covers("data.mixing.enabled", "data.mixing.temperature", "data.sources.weight")

weights = st.lists(st.floats(0.01, 100), min_size=2, max_size=5)


@settings(max_examples=25, deadline=None)
@given(weights=weights, temperature=st.floats(0.3, 5), seed=st.integers(0, 99), shuffle=st.booleans())
def test_counts_are_those_of_all_positions_before_and_follow_the_shares(
    weights: list[float], temperature: float, seed: int, shuffle: bool
) -> None:
    wanted = shares(weights, temperature)
    mixture = Mixture(wanted, seed, shuffle)
    seen: Counter[int] = Counter()
    for position in range(2 * BLOCK + 100):
        source, count = mixture.draw(position)
        assert count == seen[source]
        seen[source] += 1
        if position + 1 in (BLOCK, 2 * BLOCK):
            assert all(abs(seen[at] - share * (position + 1)) <= 3 for at, share in enumerate(wanted))


def test_rare_sources_come_up_as_often_as_they_should() -> None:
    mixture = Mixture((0.99999, 0.00001), 3, True)
    last = 1000 * BLOCK
    source, count = mixture.draw(last)
    other = last - count
    assert (other if source == 0 else count) == pytest.approx(0.00001 * last, abs=2)


@settings(max_examples=25, deadline=None)
@given(position=st.integers(0, 10**9), seed=st.integers(0, 2**32))
def test_a_position_is_the_same_whoever_asks(position: int, seed: int) -> None:
    walked = Mixture((0.5, 0.3, 0.2), seed, True)
    for before in range(max(0, position - 5), position):
        walked.draw(before)
    assert walked.draw(position) == Mixture((0.5, 0.3, 0.2), seed, True).draw(position)


def test_without_shuffling_sources_alternate_evenly() -> None:
    mixture = Mixture((0.5, 0.25, 0.25), 1, False)
    assert [mixture.draw(position)[0] for position in range(8)] == [0, 1, 0, 2, 0, 1, 0, 2]


def test_shares_are_weights_to_the_power_of_one_over_the_temperature() -> None:
    assert shares((3, 1), 1.0) == pytest.approx((0.75, 0.25))
    assert shares((16, 1), 2.0) == pytest.approx((0.8, 0.2))
    assert shares((16, 1), 1e9) == pytest.approx((0.5, 0.5))
    assert shares_by_size((1600, 100), 0.5) == pytest.approx((0.8, 0.2))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), again=st.booleans())
def test_a_source_that_ends_starts_over_in_a_new_order(seed: int, again: bool) -> None:
    order = MixedOrder((range(10), range(10, 60)), Mixture((0.5, 0.5), seed, True), batch(), 2, seed, True, again)
    steps = [order.indices(step, micro, rank) for step in range(40) for micro in range(3) for rank in range(2)]
    small = [sample for samples in steps for sample in samples if sample < 10]
    passes = [small[start : start + 10] for start in range(0, len(small) - 10, 10)]
    assert len(passes) > 15
    assert all(sorted(one) == list(range(10)) for one in passes)
    assert (len({tuple(one) for one in passes}) > 1) == again
