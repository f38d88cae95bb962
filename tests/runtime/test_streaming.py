"""A stream's order is a pure function of the seed, whoever reads it, from wherever."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc_runtime.data import streams
from cfgc_runtime.data.encode import encode
from cfgc_runtime.data.loading import StreamedSet, loaded, loader
from cfgc_runtime.data.streaming import ShuffledStream
from cfgc_runtime.data.streams import HeldOutRows, TrainStreams
from cfgc_runtime.errors import NO_INPUT, Failure
from tests.runtime.documents import batch, data

if TYPE_CHECKING:
    from cfgc_runtime.data.rows import Row

pytestmark = pytest.mark.covers("data.streaming.enabled", "data.streaming.buffer_size")


def stream(count: int, size: int, seed: int, again: bool = True) -> ShuffledStream[int]:
    return ShuffledStream(lambda: range(100, 100 + count), size, seed, again)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 40),
    size=st.integers(1, 50),
    seed=st.integers(0, 99),
    start=st.integers(0, 120),
    stride=st.integers(1, 5),
)
def test_it_goes_on_anywhere_and_gives_every_sample_once_an_epoch(
    count: int, size: int, seed: int, start: int, stride: int
) -> None:
    whole = stream(count, size, seed)
    taken = [whole.take(position) for position in range(130)]
    assert all(sample == number + 100 for number, sample in taken)
    for epoch in range(130 // count):
        assert sorted(number for number, _ in taken[epoch * count : (epoch + 1) * count]) == list(range(count))
    resumed = stream(count, size, seed)
    for position in range(start, 130, stride):
        assert resumed.take(position) == taken[position]


def test_the_buffer_shuffles_and_a_buffer_of_one_does_not() -> None:
    def order(size: int, epoch: int, **changed: Any) -> list[int]:
        one = stream(50, size, 1, **changed)
        return [one.take(position)[0] for position in range(50 * epoch, 50 * epoch + 50)]

    assert order(1, 0) == order(1, 1) == list(range(50))
    assert order(10, 0) != order(10, 1)
    assert order(10, 0, again=False) == order(10, 1, again=False)
    assert all(number < place + 10 for place, number in enumerate(order(10, 0)))  # nothing is read further ahead


def test_an_empty_stream_says_so() -> None:
    with pytest.raises(Failure, match="holds no sample") as caught:
        stream(0, 4, 1).take(0)
    assert caught.value.code == NO_INPUT


def source(path: Path, name: str, split: str = "train") -> Any:
    return SimpleNamespace(
        name=name, path=SimpleNamespace(base="absolute", name="", path=str(path)), include=("*.jsonl",), exclude=(),
        kind="jsonl", field="text", format="text", prompt_field="prompt", completion_field="completion",
        messages_field="messages", split=split,
    )  # fmt: skip


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Two sources of 30 and 11 records of different lengths."""
    made = []
    for name, count in (("a", 30), ("b", 11)):
        directory = tmp_path_factory.mktemp(name)
        lines = [json.dumps({"text": f"{name}{number} " * (1 + number % 4)}) for number in range(count)]
        (directory / "x.jsonl").write_text("\n".join(lines))
        made.append(source(directory, name))
    return made


def plan(sources: Any, **changed: Any) -> Any:
    settings = {
        "sources": tuple(sources),
        "tokenizer": SimpleNamespace(kind="bytes", path=None, end_token="", pad_token=""),
        "eval_fraction": 0.0,
        "streaming": SimpleNamespace(enabled=True, buffer_size=7),
    }
    return data(**settings | changed)


MIXED = SimpleNamespace(by="shares", shares=(0.7, 0.3), exponent=1.0)
UNMIXED = SimpleNamespace(by="none", shares=(), exponent=1.0)


EARLY = ["a0", "a1", "a2", "a3", "a4"]


def text_of(row: Row) -> str:
    return bytes(row.tokens[row.tokens < 256].tolist()).decode()


def streamed(said: Any, ranks: int, rank: int, steps: range, accumulation: int) -> list[Any]:
    samples = StreamedSet(batch(2, accumulation, ranks), ranks, rank, said, 256)
    micro_steps = range(steps.start * accumulation, steps.stop * accumulation)
    return list(loaded(loader(samples, micro_steps, said, persistent=False)))


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("mixing", [UNMIXED, MIXED])
def test_it_does_not_depend_on_workers_ranks_or_the_start(corpora: list[Any], packing: bool, mixing: Any) -> None:
    said = plan(corpora, packing=packing, mixing=mixing)
    unbroken = streamed(said, 1, 0, range(20), 4)
    later = streamed(plan(corpora, packing=packing, mixing=mixing, num_workers=2), 1, 0, range(13, 20), 4)
    for one, other in zip(unbroken[13 * 4 :], later, strict=True):
        assert one.samples == other.samples
        assert one.batch["input_ids"].tolist() == other.batch["input_ids"].tolist()
    halves = [streamed(said, 2, rank, range(20), 2) for rank in range(2)]
    together = [halves[rank][micro].samples for micro in range(40) for rank in range(2)]
    assert together == [one.samples for one in unbroken]


@pytest.mark.covers("data.max_eval_samples", "data.max_train_samples")
@pytest.mark.parametrize("mixing", [UNMIXED, MIXED])
def test_the_first_samples_are_held_out(corpora: list[Any], mixing: Any) -> None:
    said = plan(corpora, packing=False, mixing=mixing, eval_fraction=0.1, max_eval_samples=5)
    rows = HeldOutRows(said)
    held = [text_of(rows.row(number)) for number in range(len(rows))]
    assert [text[:2] for text in held] == (["a0", "a1", "a2", "b0", "b1"] if mixing is MIXED else EARLY)
    trained = TrainStreams(said)
    seen = {text_of(trained.row(position)[1]) for position in range(120)}
    assert not seen & set(held)
    assert len(seen) == 30 + 11 - 5
    few = TrainStreams(plan(corpora, packing=False, mixing=mixing, max_train_samples=10))
    assert len({few.row(position)[0] for position in range(100)}) == 10


@pytest.mark.covers("data.sources.split")
def test_evaluations_may_have_sources_of_their_own(corpora: list[Any]) -> None:
    own = source(Path(corpora[1].path.path), "b", "eval")
    said = plan([corpora[0], own], packing=False, max_eval_samples=100)
    assert len(HeldOutRows(said)) == 11
    trained = TrainStreams(said)
    assert all(trained.row(position)[1].tokens[0] == ord("a") for position in range(60))


def test_a_resume_encodes_none_of_the_samples_before(corpora: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[Any] = []

    def count(*arguments: Any) -> Any:
        encoded.append(arguments[0])
        return encode(*arguments)

    monkeypatch.setattr(streams, "encode", count)
    TrainStreams(plan(corpora, packing=False)).row(100)
    assert len(encoded) == 1


def test_a_failure_in_a_worker_keeps_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text": "fine"}\n{"other": 1}\n')
    said = plan([source(tmp_path, "a")], num_workers=2)
    with pytest.raises(Failure, match=r"x\.jsonl:2: no field `text`") as caught:
        streamed(said, 1, 0, range(2), 1)
    assert caught.value.code == NO_INPUT


TEMPLATE = "{% for m in messages if m.content != '?' %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"


STEPS = 22


def conversations(directory: Path, bad: str) -> Any:
    """14 of them; the one on line 10 is ``bad``."""
    directory.mkdir()
    good = [json.dumps({"messages": [{"role": "assistant", "content": f"{number}"}]}) for number in range(14)]
    good[9] = bad or good[9]
    (directory / "x.jsonl").write_text("\n".join(good))
    one = source(directory, "a")
    one.format = "chat"
    return one


def taken(said: Any, workers: int = 0, start: int = 0, ranks: int = 1, rank: int = 0) -> tuple[int, str]:
    """Up to which step of three epochs batches come, read from ``start`` on, and what ends them."""
    said = SimpleNamespace(**vars(said) | {"num_workers": workers})
    samples = StreamedSet(batch(2, 1, ranks), ranks, rank, said, 256)
    count = start
    try:
        for _ in loaded(loader(samples, range(start, STEPS // ranks), said, persistent=False)):
            count += 1
    except Failure as failure:
        return count, f"{failure.code}: {failure}"
    return count, ""


@pytest.mark.parametrize("packing", [True, False])
def test_the_first_bad_record_ends_the_run_at_the_same_step_whoever_reads(tmp_path: Path, packing: bool) -> None:
    buffer = SimpleNamespace(enabled=True, buffer_size=3)
    changed = {"packing": packing, "sequence_length": 2, "chat_template": TEMPLATE, "streaming": buffer}
    unread = '{"messages": [{"role": "assistant", "content": "?"}]}'
    for name, bad, reason in (
        ("good", "", ""),
        ("json", '{"messages": ', "it is no JSON"),
        ("field", '{"other": 1}', "no field `messages`"),
        ("encoded", unread, "nothing of the assistant"),
    ):
        said = plan([conversations(tmp_path / name, bad)], **changed)
        count, failure = taken(said)
        assert taken(said, workers=2, start=1) == (count, failure)
        halves = [taken(said, ranks=2, rank=rank) for rank in range(2)]
        assert min(halves)[0] == count // 2
        if not bad:
            assert (count, failure) == (STEPS, "")
            continue
        assert reason in failure
        assert 1 <= count <= 7  # in the first of three epochs
        assert {said for _, said in halves} == {failure}
        assert failure.startswith(f"{NO_INPUT}: {tmp_path / name / 'x.jsonl'}:10: ")
        assert "`streaming.enabled = false`" in failure


def test_without_truncation_a_long_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text": "fine"}\n{"text": "much too long"}\n')
    said = plan([source(tmp_path, "a")], packing=False, truncation=False)
    with pytest.raises(Failure, match=r"x\.jsonl:2: 14 tokens do not fit into a sample of 8"):
        streamed(said, 1, 0, range(2), 1)
