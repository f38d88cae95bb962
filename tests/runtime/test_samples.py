"""Which sample goes where."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc_runtime.data.samples import Split, TrainOrder, eval_batches, split_samples, train_batches
from cfgc_runtime.errors import NO_INPUT, Failure


def batch(micro: int = 2, accumulation: int = 3, ranks: int = 2) -> Any:
    return SimpleNamespace(
        micro_batch_size=micro,
        gradient_accumulation_steps=accumulation,
        global_batch_size=micro * accumulation * ranks,
    )


def data(**changed: Any) -> Any:
    settings = {
        "sequence_length": 8,
        "eval_fraction": 0.1,
        "max_train_samples": 0,
        "max_eval_samples": 0,
        "num_workers": 0,
    }
    return SimpleNamespace(**settings | changed)


def order(train: int = 100, micro: int = 2, accumulation: int = 3, ranks: int = 2, **changed: Any) -> TrainOrder:
    settings = {"seed": 1, "shuffle": True, "reshuffle_each_epoch": True} | changed
    return TrainOrder(train, batch(micro, accumulation, ranks), ranks, **settings)


def whole_epoch(order: TrainOrder, epoch: int) -> list[int]:
    steps = order.train // order.batch.global_batch_size
    return [
        sample
        for step in range(epoch * steps, (epoch + 1) * steps)
        for micro in range(order.batch.gradient_accumulation_steps)
        for rank in range(order.ranks)
        for sample in order.indices(step, micro, rank)
    ]


@settings(max_examples=60, deadline=None)
@given(
    micro=st.integers(1, 4),
    accumulation=st.integers(1, 4),
    ranks=st.integers(1, 4),
    extra=st.integers(0, 50),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 3),
)
def test_an_epoch_gives_each_sample_to_one_rank_at_most_once(
    micro: int, accumulation: int, ranks: int, extra: int, seed: int, epoch: int
) -> None:
    train = micro * accumulation * ranks * 2 + extra
    this = order(train, micro, accumulation, ranks, seed=seed)
    seen = whole_epoch(this, epoch)
    assert len(seen) == len(set(seen)) == train - train % this.batch.global_batch_size
    assert set(seen) <= set(range(train))


@settings(max_examples=40, deadline=None)
@given(step=st.integers(0, 200), micro=st.integers(0, 2), rank=st.integers(0, 1), seed=st.integers(0, 2**63))
def test_it_depends_on_nothing_but_its_arguments(step: int, micro: int, rank: int, seed: int) -> None:
    expected = order(seed=seed).indices(step, micro, rank)
    order(seed=seed + 1).indices(step + 1, micro, rank)
    torch.manual_seed(step)
    assert order(seed=seed).indices(step, micro, rank) == expected


def test_shuffling() -> None:
    assert whole_epoch(order(24, shuffle=False), 0) == whole_epoch(order(24, shuffle=False), 1)
    assert sorted(whole_epoch(order(24, shuffle=False), 0)) == list(range(24))
    assert order(24, shuffle=False).indices(0, 0, 1) == [2, 3]
    assert whole_epoch(order(24), 0) != whole_epoch(order(24), 1)
    assert whole_epoch(order(24, reshuffle_each_epoch=False), 0) == whole_epoch(
        order(24, reshuffle_each_epoch=False), 1
    )
    assert whole_epoch(order(24), 0) != whole_epoch(order(24, seed=2), 0)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_workers_or_on_where_the_run_started(workers: int) -> None:
    tokens = torch.arange(2000, dtype=torch.int16)
    this = order(100)
    started_over = list(train_batches(tokens, data(num_workers=workers), this, 1, range(2, 5)))
    expected = [this.indices(step, micro, 1) for step in range(2, 5) for micro in range(3)]
    assert [one.samples for one in started_over] == expected
    first = started_over[0]
    assert first.batch["input_ids"][0].tolist() == list(range(first.samples[0] * 8, first.samples[0] * 8 + 8))
    assert first.batch["labels"][0].tolist() == list(range(first.samples[0] * 8 + 1, first.samples[0] * 8 + 9))


def test_batches_leave_the_global_random_numbers_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    next(train_batches(torch.arange(2000, dtype=torch.int16), data(), order(100), 0, range(1)))
    assert torch.equal(before, torch.get_rng_state())


def test_the_last_samples_are_held_out() -> None:
    assert split_samples(801, data(), 12) == Split(train=90, held_out=10, first_held_out=90)
    assert split_samples(801, data(max_train_samples=50, max_eval_samples=4), 12) == Split(50, 4, 90)
    assert split_samples(801, data(eval_fraction=0.0), 12) == Split(100, 0, 100)


def test_too_little_data_says_how_much_there_is() -> None:
    with pytest.raises(Failure, match=r"81 tokens make 9 training samples of 8 \(1 more are held out\)") as caught:
        split_samples(81, data(), 12)
    assert caught.value.code == NO_INPUT


@settings(max_examples=60, deadline=None)
@given(held_out=st.integers(1, 40), size=st.integers(1, 5), ranks=st.integers(1, 4))
def test_an_evaluation_counts_each_sample_once_and_gives_every_rank_as_many_batches(
    held_out: int, size: int, ranks: int
) -> None:
    tokens = torch.zeros(2000, dtype=torch.int16)
    rule: Any = SimpleNamespace(micro_batch_size=size, max_batches=0)
    split = Split(train=10, held_out=held_out, first_held_out=10)
    shares = [list(eval_batches(tokens, data(), split, rule, rank, ranks)) for rank in range(ranks)]
    assert len({len(share) for share in shares}) == 1
    counted = [
        sample
        for share in shares
        for one in share
        for sample, weight in zip(one.samples, one.weights.tolist(), strict=True)
        if weight
    ]
    assert sorted(counted) == list(range(10, 10 + held_out))
