"""Which sample goes where, and what is in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc_runtime.data import rows as rows_module
from cfgc_runtime.data.feed import make_feed
from cfgc_runtime.data.loading import HeldOutSet, IndexedSet, loaded, loader
from cfgc_runtime.data.mixing import Mixture
from cfgc_runtime.data.order import HeldOutOrder, MixedOrder, TrainOrder
from cfgc_runtime.data.rows import JoinedRows, PackedRows, PaddedRows
from cfgc_runtime.data.samples import collate
from cfgc_runtime.data.split import check_apart, split_samples
from cfgc_runtime.errors import NO_INPUT, Failure
from tests.runtime.documents import batch, data, documents

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.covers("data.drop_last")
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


@pytest.mark.covers("data.shuffle", "data.shuffle_seed", "data.reshuffle_each_epoch")
def test_shuffling() -> None:
    assert whole_epoch(order(24, shuffle=False), 0) == whole_epoch(order(24, shuffle=False), 1)
    assert sorted(whole_epoch(order(24, shuffle=False), 0)) == list(range(24))
    assert order(24, shuffle=False).indices(0, 0, 1) == [2, 3]
    assert whole_epoch(order(24), 0) != whole_epoch(order(24), 1)
    assert whole_epoch(order(24, reshuffle_each_epoch=False), 0) == whole_epoch(
        order(24, reshuffle_each_epoch=False), 1
    )
    assert whole_epoch(order(24), 0) != whole_epoch(order(24, seed=2), 0)


@settings(max_examples=40, deadline=None)
@given(step=st.integers(0, 60), seed=st.integers(0, 99), is_mixed=st.booleans())
def test_a_global_batch_is_the_same_on_one_two_and_four_ranks(step: int, seed: int, is_mixed: bool) -> None:
    found = []
    for ranks, accumulation in ((1, 4), (2, 2), (4, 1)):
        one = batch(2, accumulation, ranks)
        mixture = Mixture((0.7, 0.3), seed, True)
        this: Any = TrainOrder(50, one, ranks, seed, True, True)
        if is_mixed:
            this = MixedOrder((range(20), range(20, 50)), mixture, one, ranks, seed, True, True)
        micros = [this.indices(step, micro, rank) for micro in range(accumulation) for rank in range(ranks)]
        found.append([sample for samples in micros for sample in samples])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_workers_or_on_where_the_run_started(workers: int) -> None:
    rows, this = PackedRows([documents(range(2000))], 8), order(100)
    plan = data(num_workers=workers, prefetch_factor=3)
    samples = IndexedSet(rows, this, this.batch, 1, plan, 0)
    started_over = list(loaded(loader(samples, range(6, 15), plan, persistent=bool(workers))))
    expected = [this.indices(step, micro, 1) for step in range(2, 5) for micro in range(3)]
    assert [one.samples for one in started_over] == expected
    first = started_over[0]
    assert first.batch["input_ids"][0].tolist() == list(range(first.samples[0] * 8, first.samples[0] * 8 + 8))
    assert first.batch["labels"][0].tolist() == list(range(first.samples[0] * 8 + 1, first.samples[0] * 8 + 9))


def test_batches_leave_the_global_random_numbers_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    samples = IndexedSet(PackedRows([documents(range(2000))], 8), order(100), order(100).batch, 0, data(), 0)
    next(loaded(loader(samples, range(1), data(), persistent=False)))
    assert torch.equal(before, torch.get_rng_state())


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(5, 60), min_size=1, max_size=3),
    fraction=st.floats(0, 0.6),
    own=st.integers(0, 9),
    is_mixed=st.booleans(),
    limit=st.integers(0, 9),
)
def test_no_sample_is_in_both_splits(sizes: list[int], fraction: float, own: int, is_mixed: bool, limit: int) -> None:
    by = "sizes" if is_mixed else "none"
    sizes = sizes if is_mixed else [sum(sizes)]
    sources = tuple(SimpleNamespace(name=str(number), split="train") for number in range(len(sizes)))
    plan = data(
        eval_fraction=0.0 if own else fraction,
        max_eval_samples=limit,
        sources=sources,
        mixing=SimpleNamespace(by=by, shares=(), exponent=1.0),
    )
    parts = JoinedRows([range_rows(size) for size in [*sizes, own]]).ranges()
    split = split_samples(parts[:-1], parts[-1], plan, 1)
    train = [sample for part in split.train for sample in part]
    assert not set(train) & set(split.held_out)
    assert len(set(split.held_out)) == len(split.held_out) <= (limit or 1000)
    if not limit and not own:
        assert len(train) + len(split.held_out) == sum(sizes)


def range_rows(size: int) -> Any:
    return PackedRows([documents(range(size + 1))], 1) if size else PackedRows([], 1)


def test_a_file_is_not_on_both_sides(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)

    def source(name: str, split: str, include: str) -> Any:
        path = SimpleNamespace(base="absolute", name="", path=str(tmp_path))
        return SimpleNamespace(name=name, split=split, kind="text", path=path, include=(include,), exclude=())

    check_apart(data(sources=(source("web", "train", "a*"), source("own", "eval", "b*"))))
    with pytest.raises(Failure, match=r"b\.txt is trained on, as part of `web`, and evaluated on, as part of `own`"):
        check_apart(data(sources=(source("own", "eval", "b*"), source("web", "train", "*"))))


@pytest.mark.covers("data.eval_fraction", "data.max_train_samples", "data.max_eval_samples")
def test_the_last_samples_are_held_out() -> None:
    def split(**changed: Any) -> tuple[range, list[int]]:
        found = split_samples([range(100)], range(0), data(**changed), 12)
        return found.train[0], list(found.held_out)

    assert split() == (range(90), list(range(90, 100)))
    assert split(max_train_samples=50, max_eval_samples=4) == (range(50), [90, 91, 92, 93])
    assert split(eval_fraction=0.0) == (range(100), [])


def test_too_little_data_says_how_much_there_is() -> None:
    with pytest.raises(
        Failure, match=r"9 training samples of 8 tokens, 1 more are held out, and one step takes 12"
    ) as e:
        split_samples([range(10)], range(0), data(), 12)
    assert e.value.code == NO_INPUT


def test_a_source_that_would_never_come_up_is_named() -> None:
    sources = tuple(SimpleNamespace(name=name, split="train") for name in ("big", "small"))
    mixing = SimpleNamespace(by="sizes", shares=(), exponent=50.0)
    with pytest.raises(Failure, match="the source `small` would never come up: 9 of 99 training samples"):
        split_samples([range(100), range(100, 110)], range(0), data(sources=sources, mixing=mixing), 12)


@settings(max_examples=60, deadline=None)
@given(held_out=st.integers(1, 40), size=st.integers(1, 5), ranks=st.integers(1, 4))
def test_an_evaluation_counts_each_sample_once_and_gives_every_rank_as_many_batches(
    held_out: int, size: int, ranks: int
) -> None:
    rows = PackedRows([documents(range(2000))], 8)
    count = -(-held_out // (size * ranks))
    samples = range(10, 10 + held_out)
    shared = HeldOutOrder(held_out, size, ranks)
    assert shared.batches(0) == range(count)
    sets = [HeldOutSet(rows, samples, shared, rank, data(), 0) for rank in range(ranks)]
    batches: list[Any] = [one[number] for one in sets for number in range(count)]
    counted = [
        sample for one in batches for sample, weight in zip(one.samples, one.weights.tolist(), strict=True) if weight
    ]
    assert sorted(counted) == list(samples)


@pytest.mark.covers("data.pin_memory")
def test_what_is_pinned_is_every_tensor_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU torch pins nothing, so that what it is asked for is looked at."""
    pinned: list[torch.Tensor] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor)
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    made = collate([PackedRows([documents(range(9))], 8).row(0)], [7], [1.0], data(), 0).pin_memory()
    assert (made.samples, len(pinned)) == ([7], 2)
    samples = IndexedSet(PackedRows([documents(range(2000))], 8), order(100), order(100).batch, 0, data(), 0)
    assert loader(samples, range(1), data(pin_memory=True), persistent=False).pin_memory
    assert not loader(samples, range(1), data(), persistent=False).pin_memory


@pytest.mark.covers("data.sequence_length")
def test_packing_goes_on_over_files_and_keeps_what_is_not_trained_on() -> None:
    first = documents([1, 2, 3], [4, 5], trained=[[False, False, True], [True, True]])
    rows = PackedRows([first, documents([6, 7, 8, 9], trained=[[True, True, False, True]])], 4)
    assert len(rows) == 2
    plan = data(sequence_length=4)
    made = collate([rows.row(0), rows.row(1)], [0, 1], [1.0, 1.0], plan, 0)
    assert made.batch["input_ids"].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert made.batch["labels"].tolist() == [[-100, 3, 4, 5], [6, 7, -100, 9]]


@pytest.mark.covers("data.packing", "data.pad_to", "data.padding_side", "data.truncation")
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_sample_is_one_document(side: str) -> None:
    rows = PaddedRows([documents([1, 2, 3], [9], [4, 5, 6, 7, 8, 9, 10])], 4, truncation=True)
    assert (len(rows), rows.cut) == (2, 1)  # one token has no next one
    plan = data(packing=False, sequence_length=4, padding_side=side)
    made = collate([rows.row(0), rows.row(1)], [0, 1], [1.0, 1.0], plan, 99).batch
    pads, ignored = [99, 99], [-100, -100]
    left = side == "left"
    assert made["input_ids"].tolist() == [[*pads, 1, 2] if left else [1, 2, *pads], [4, 5, 6, 7]]
    assert made["labels"].tolist() == [[*ignored, 2, 3] if left else [2, 3, *ignored], [5, 6, 7, 8]]
    assert ("attention_mask" in made) == left
    if left:
        assert made["attention_mask"].tolist() == [[0, 0, 1, 1], [1, 1, 1, 1]]
        assert made["position_ids"].tolist() == [[0, 0, 0, 1], [0, 1, 2, 3]]
    short = [rows.row(0)]
    assert collate(short, [0], [1.0], plan, 99).batch["input_ids"].shape == (1, 2)
    wide = data(packing=False, sequence_length=4, padding_side=side, pad_to="sequence_length")
    assert collate(short, [0], [1.0], wide, 99).batch["input_ids"].shape == (1, 4)


@settings(max_examples=40, deadline=None)
@given(
    flags=st.lists(st.lists(st.booleans(), min_size=1, max_size=9), min_size=1, max_size=12),
    length=st.integers(1, 8),
    at_once=st.integers(1, 5),
)
def test_a_document_with_nothing_to_train_on_is_no_sample(flags: list[list[bool]], length: int, at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_AT_ONCE", at_once)
        rows = PaddedRows([documents(*flags, trained=flags)], length, truncation=True)
    kept = [document for document in flags if any(document[1 : length + 1])]
    assert (len(rows), rows.left_out) == (len(kept), len(flags) - len(kept))
    for sample, document in enumerate(kept):
        assert list(rows.row(sample).trained) == document[: length + 1]  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_feed_evaluates_on_the_same_samples_each_time(workers: int) -> None:
    plan = data(packing=False, num_workers=workers, persistent_workers=bool(workers))
    texts = [list(range(2 + number % 9)) for number in range(60)]
    config: Any = SimpleNamespace(
        DATA=plan, BATCH=batch(), EVALUATION=SimpleNamespace(micro_batch_size=2, max_batches=0)
    )
    prepared: Any = SimpleNamespace(
        sources=[[documents(*texts, trained=[[len(one) > 2] * len(one) for one in texts])]],
        fingerprint=None,
        vocabulary=SimpleNamespace(pad=9, size=10),
    )
    feed = make_feed(config, SimpleNamespace(rank=0, size=2), prepared)  # type: ignore[arg-type]
    assert feed.held_out == 6
    assert any("6 of 60 documents are cut to 8 tokens" in note for note in feed.notes)
    assert any("7 of 60 documents are left out" in note for note in feed.notes)
    found = [[(one.samples, one.weights.tolist()) for one in feed.evaluation()] for _ in range(2)]
    assert found[0] == found[1] == [([47, 48], [1.0, 1.0]), ([51, 52], [1.0, 1.0])]


@pytest.mark.covers("evaluation.micro_batch_size", "evaluation.max_batches")
@pytest.mark.parametrize(("size", "most", "shapes"), [(1, 0, [1, 1, 1]), (1, 2, [1, 1]), (3, 0, [3]), (2, 1, [2])])
def test_an_evaluation_reads_batches_of_its_own_size_and_no_more_than_its_limit(
    size: int, most: int, shapes: list[int]
) -> None:
    config: Any = SimpleNamespace(
        DATA=data(eval_fraction=0.1), BATCH=batch(), EVALUATION=SimpleNamespace(micro_batch_size=size, max_batches=most)
    )
    prepared: Any = SimpleNamespace(
        sources=[[documents(range(481))]], fingerprint=None, vocabulary=SimpleNamespace(pad=9, size=500)
    )
    feed = make_feed(config, SimpleNamespace(rank=0, size=2), prepared)  # type: ignore[arg-type]
    assert feed.held_out == 6
    assert [one.batch["input_ids"].shape[0] for one in feed.evaluation()] == shapes


def test_without_truncation_a_long_document_is_refused_by_its_number() -> None:
    with pytest.raises(Failure, match=r"1 documents do not fit .* number 2 of some\.tokens with 7") as caught:
        PaddedRows([documents([1, 2], [4, 5, 6, 7, 8, 9, 10])], 4, truncation=False)
    assert caught.value.code == NO_INPUT
    assert len(PaddedRows([documents([1, 2], [4, 5, 6, 7, 8])], 4, truncation=False)) == 2


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=9), min_size=1, max_size=8),
    cut=st.integers(0, 8),
    length=st.integers(1, 7),
)
def test_samples_do_not_depend_on_how_documents_lie_in_files(texts: list[list[int]], cut: int, length: int) -> None:
    one = [documents(*texts)]
    two = [documents(*part) for part in (texts[:cut], texts[cut:]) if part]
    for whole, parts in (
        (PackedRows(one, length), PackedRows(two, length)),
        (PaddedRows(one, length, True), PaddedRows(two, length, True)),
    ):
        assert len(whole) == len(parts)
        for sample in range(len(whole)):
            assert np.array_equal(whole.row(sample).tokens, parts.row(sample).tokens)
