"""Sources become the token files of a run: once, by rank 0, and again only when they changed."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cfgc_runtime.data import files, packing
from cfgc_runtime.data.files import check_files, list_files, read_contents
from cfgc_runtime.data.notice import Notice
from cfgc_runtime.data.prepare import prepare, prepare_sources
from cfgc_runtime.data.token_file import TokenFile
from cfgc_runtime.errors import LOST_PEER, NO_INPUT, PREEMPTED, Failure
from cfgc_runtime.rundir import RunDirectory
from tests.runtime.data_files import data, never, source, tokenizer, write_lines, write_tokenizer

END = 256


@pytest.fixture
def text(tmp_path: Path) -> Path:
    root = tmp_path / "text"
    (root / "sub" / "deep").mkdir(parents=True)
    for name, content in {
        "b.txt": b"B",
        "a.txt": b"A\xff",
        "sub/c.txt": b"",
        "sub/deep/d.txt": b"D",
        "e.md": b"E",
    }.items():
        (root / name).write_bytes(content)
    return root


def prepared(tmp_path: Path, *sources: Any, **said: Any) -> Any:
    return prepare_sources(data(*sources, **said), tmp_path / "data", never)


def only(found: Any) -> TokenFile:
    [[file]] = found.sources
    assert isinstance(file, TokenFile)
    return file


def test_files_are_sorted_and_each_ends_with_the_end_of_text(tmp_path: Path, text: Path) -> None:
    found = prepared(tmp_path, source(text))
    assert only(found).tokens.tolist() == [ord("A"), 255, END, ord("B"), END, END, ord("D"), END]
    assert only(found).starts.tolist() == [0, 3, 5, 6, 8]
    assert (found.fingerprint.files, found.fingerprint.bytes) == (4, 4)
    assert (found.vocabulary.size, found.vocabulary.end) == (257, END)


@pytest.mark.covers("data.sources.include", "data.sources.exclude")
def test_exclude_wins_and_whole_directories_are_left_out(text: Path) -> None:
    assert [file.name for file in list_files(source(text, exclude=("sub/*",)))] == ["a.txt", "b.txt"]
    found = list_files(source(text, include=("sub/*", "*.md"), exclude=("*/d.txt",)))
    assert [file.name for file in found] == ["e.md", "sub/c.txt"]


@pytest.mark.covers("data.sources.include", "data.sources.exclude")
def test_patterns_hold_for_a_source_of_one_file_too(text: Path) -> None:
    one = text / "a.txt"
    assert [(file.name, file.path) for file in list_files(source(one))] == [("a.txt", one)]
    refused: tuple[dict[str, Any], ...] = ({"include": ("*.md",)}, {"exclude": ("a*",)})
    for said in refused:
        with pytest.raises(Failure, match=r"`a`: .*/a\.txt does not match \*\.(md|txt without a\*)$") as caught:
            list_files(source(one, **said))
        assert caught.value.code == NO_INPUT
        with pytest.raises(Failure, match="does not match"):
            check_files(source(one, **said))


@pytest.mark.covers("data.sources.path")
def test_linked_directories_are_read_and_loops_end(tmp_path: Path, text: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "f.txt").write_text("F")
    (tmp_path / "elsewhere" / "up").symlink_to(text)
    (text / "linked").symlink_to(tmp_path / "elsewhere")
    (text / "sub" / "again").symlink_to(text / "sub")
    (text / "broken.d").symlink_to(tmp_path / "gone")
    (text / "itself").symlink_to(text / "itself")
    names = [file.name for file in list_files(source(text))]
    assert names == ["a.txt", "b.txt", "linked/f.txt", "sub/c.txt", "sub/deep/d.txt"]


@pytest.mark.covers("data.sources", "data.sources.name")
def test_sources_keep_the_order_of_the_spec(tmp_path: Path, text: Path) -> None:
    two = prepared(tmp_path, source(text, include=("e.md",), name="z"), source(text, include=("b.txt",), name="b/é"))
    assert [[file.tokens.tolist() for file in one] for one in two.sources] == [[[ord("E"), END]], [[ord("B"), END]]]
    assert sorted(path.name for path in (tmp_path / "data").glob("*.tokens")) == ["000-z.tokens", "001-b.tokens"]


def test_the_fingerprint_sees_content_names_order_and_tokenizer(tmp_path: Path, text: Path) -> None:
    def now(**said: Any) -> str:
        return str(prepared(tmp_path, source(text), **said).fingerprint.sha256)

    first = now()
    assert now() == first
    (text / "b.txt").rename(text / "z.txt")
    renamed = now()
    (text / "z.txt").write_bytes(b"C")
    changed = now()
    (text / "a.txt").write_bytes(b"AA")
    made = write_tokenizer(tmp_path / "tokenizer.json", "</s>", "<pad>")
    ours = [now(said=tokenizer("tokenizers", made)), now(said=tokenizer("tokenizers", made, "<pad>"))]
    assert len({first, renamed, changed, *ours}) == 5


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read to be digested."""
    seen: list[str] = []
    digest = files._digest

    def note(file: Any) -> str:
        seen.append(file.name)
        return digest(file)

    monkeypatch.setattr(files, "_digest", note)
    return seen


def test_what_did_not_change_is_not_read_again(tmp_path: Path, text: Path, digested: list[str]) -> None:
    for path in text.rglob("*.txt"):
        os.utime(path, (1, 1))
    later = max(path.stat().st_ctime_ns for path in text.rglob("*.txt")) + 3 * 10**9
    first = read_contents(list_files(source(text)), {}, later)
    assert read_contents(list_files(source(text)), first.seen, later) == first
    assert len(digested) == 4
    (text / "b.txt").write_bytes(b"C")
    os.utime(text / "b.txt", (1, 1))
    assert read_contents(list_files(source(text)), first.seen, later).sha256 != first.sha256
    assert digested[4:] == ["b.txt"]


def test_a_file_that_was_just_written_is_not_trusted(text: Path) -> None:
    just = max(path.stat().st_ctime_ns for path in text.rglob("*.txt")) + 10**9
    assert read_contents(list_files(source(text)), {}, just).seen == {}


def test_packed_files_are_used_again_until_something_changes(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs: list[str] = []
    pack = packing.pack

    def note(order: Any, *rest: Any) -> Any:
        packs.append(order.source.name)
        return pack(order, *rest)

    monkeypatch.setattr(packing, "pack", note)
    lines = write_lines(tmp_path / "a.jsonl", {"text": "x", "other": "y"})
    mine = [source(text), source(lines, "jsonl", name="b")]
    first = prepared(tmp_path, *mine)
    again = prepared(tmp_path, *mine)
    assert packs == ["a", "b"]
    assert again.fingerprint == first.fingerprint
    (text / "b.txt").write_bytes(b"C")
    prepared(tmp_path, *mine)
    assert packs == ["a", "b", "a"]
    mine[1].field = "other"
    prepared(tmp_path, *mine)
    assert packs == ["a", "b", "a", "b"]
    damaged = first.sources[0][0].path
    damaged.write_bytes(damaged.read_bytes()[:-1])
    prepared(tmp_path, *mine)
    assert packs[4:] == ["a"]
    prepared(tmp_path, mine[1])
    assert [path.name for path in (tmp_path / "data").glob("*.tokens")] == ["000-b.tokens"]


def test_token_files_are_mapped_where_they_are(tmp_path: Path, text: Path) -> None:
    there = only(prepared(tmp_path, source(text))).path
    said = source(there, "tokens", name="packed")
    found = prepare_sources(data(said), tmp_path / "other", never)
    assert only(found).path == there
    assert not list((tmp_path / "other").iterdir())
    assert found.fingerprint.sha256 != prepare_sources(data(source(text)), tmp_path / "x", never).fingerprint.sha256
    made = write_tokenizer(tmp_path / "tokenizer.json", "</s>")
    with pytest.raises(Failure, match=r"`packed`: .* packed with another tokenizer \(bytes, 257 tokens\)") as caught:
        prepare_sources(data(said, said=tokenizer("tokenizers", made)), tmp_path / "other", never)
    assert caught.value.code == NO_INPUT


def test_streams_are_told_apart_by_names_and_sizes_and_nothing_is_packed(tmp_path: Path, text: Path) -> None:
    first = prepared(tmp_path, source(text), streaming=True)
    assert first.sources == ((),)
    assert not list(tmp_path.glob("data/*.tokens"))
    (text / "b.txt").write_bytes(b"BB")
    assert prepared(tmp_path, source(text), streaming=True).fingerprint != first.fingerprint


@pytest.mark.covers("data.max_bad_records")
def test_the_limit_of_bad_records_is_over_all_sources(tmp_path: Path) -> None:
    two = [source(write_lines(tmp_path / f"{name}.jsonl", {"text": "x"}, b"{"), "jsonl", name=name) for name in "ab"]
    found = prepared(tmp_path, *two, max_bad_records=2)
    assert [file.header.bad_records for files in found.sources for file in files] == [1, 1]
    log = json.loads((tmp_path / "data" / "001-b.bad-records.log").read_text())
    assert log["place"] == f"{tmp_path}/b.jsonl:2"
    (tmp_path / "data" / "000-a.tokens").unlink()
    (tmp_path / "data" / "001-b.tokens").unlink()
    with pytest.raises(Failure, match=r"b\.jsonl:2: it is no JSON: .* \(bad record number 2, .*max_bad_records` is 1"):
        prepared(tmp_path, *two, max_bad_records=1)


def test_what_is_missing_is_named(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure, match=r"data source `a`: .*/nowhere is not a directory") as caught:
        list_files(source(text / "nowhere"))
    assert caught.value.code == NO_INPUT
    with pytest.raises(Failure, match=r"no file below .* matches \*\.rs"):
        list_files(source(text, include=("*.rs",)))
    monkeypatch.delenv("NO_SUCH_PLACE", raising=False)
    missing = source(text)
    missing.path = SimpleNamespace(base="env", name="NO_SUCH_PLACE", path="text")
    with pytest.raises(
        Failure, match=r"environment variable NO_SUCH_PLACE is not set; the spec names \$NO_SUCH_PLACE/text"
    ):
        list_files(missing)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Failure, match=r"a\.txt cannot be read: Permission denied"):
        read_contents(list_files(source(text)), {}, 0)


def test_a_pipe_is_not_waited_for(text: Path) -> None:
    os.mkfifo(text / "pipe.txt")
    assert len(list_files(source(text))) == 4


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "run" / "attempts" / "001").mkdir(parents=True)
    return RunDirectory(tmp_path / "run")


def config(said: Any, vocab_size: int = 257) -> Any:
    checkpoint = SimpleNamespace(on_changed_numerics="refuse")
    return SimpleNamespace(DATA=said, MODEL=SimpleNamespace(vocab_size=vocab_size), CHECKPOINT=checkpoint)


def start(run: RunDirectory, said: Any, rank: int, stop: Any = never, vocab_size: int = 257) -> Any:
    world: Any = SimpleNamespace(rank=rank, size=2)
    return prepare(config(said, vocab_size), run, world, stop, lambda _line: None)


def test_the_other_ranks_map_what_rank_0_packed(run: RunDirectory, text: Path) -> None:
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(start(run, data(source(text)), 1)))
    waiting.start()
    mine = start(run, data(source(text)), 0)
    waiting.join(20)
    assert only(found[0]).path == only(mine).path == run.root / "data" / "000-a.tokens"
    assert found[0].fingerprint == mine.fingerprint


def test_the_other_ranks_end_as_victims_when_rank_0_fails(run: RunDirectory, text: Path) -> None:
    with pytest.raises(Failure, match="is not a directory"):
        start(run, data(source(text / "nowhere")), 0)
    with pytest.raises(Failure, match="rank 0 could not prepare the data") as caught:
        start(run, data(source(text / "nowhere")), 1)
    assert caught.value.code == LOST_PEER


def test_a_request_to_stop_on_one_rank_stops_all(run: RunDirectory, tmp_path: Path) -> None:
    said = data(source(write_lines(tmp_path / "a.jsonl", *({"text": "x" * 99} for _ in range(9000))), "jsonl"))
    codes: list[int] = []

    def wait() -> None:
        with pytest.raises(Failure) as caught:
            start(run, said, 1, stop=lambda: True)
        codes.append(caught.value.code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not list((run.attempts / "001").glob("*.stop")):
        waiting.join(0.01)
    with pytest.raises(Failure, match="start again to go on") as caught:
        start(run, said, 0)
    waiting.join(20)
    assert (caught.value.code, codes) == (PREEMPTED, [PREEMPTED])
    assert list((run.root / "data").glob("*.partial"))


def test_a_silent_rank_0_is_given_up(tmp_path: Path) -> None:
    now = [0.0]
    notice = Notice(tmp_path / "n", 60.0, clock=lambda: now[0], pause=lambda s: now.__setitem__(0, now[0] + s))
    with pytest.raises(Failure, match="has been silent for 60 s") as caught:
        notice.wait(never)
    assert caught.value.code == LOST_PEER
    beats = iter(range(500))

    def work(seconds: float) -> None:
        now[0] += seconds + 30
        if next(beats) < 20:
            notice.beat()
        else:
            notice.publish({"done": True})

    assert Notice(tmp_path / "n", 60.0, clock=lambda: now[0], pause=work).wait(never) == {"done": True}


def test_rank_0_is_heard_while_it_does_one_long_thing(tmp_path: Path) -> None:
    notice = Notice(tmp_path / "n", 60.0)
    with notice.beating():
        while not notice.path.exists() or json.loads(notice.path.read_bytes())["content"]["beat"] < 2:
            pass
    notice.publish({"done": True})
    assert notice.wait(never) == {"done": True}


def test_a_vocabulary_that_the_model_lacks_is_refused_on_every_rank(run: RunDirectory, text: Path) -> None:
    for rank in (0, 1):
        with pytest.raises(Failure, match=r"257 tokens and the model 256: write `vocab_size = 320` under \[model\]"):
            start(run, data(source(text)), rank, vocab_size=256)


def test_changed_data_is_refused_before_it_is_packed_again(run: RunDirectory, text: Path) -> None:
    from cfgc_runtime.checkpoints import complete

    before = start(run, data(source(text)), 0)
    directory = run.checkpoints / "step-00000004"
    directory.mkdir(parents=True)
    values: Any = {}
    state = {"data": before.fingerprint.as_json()}
    complete.write(directory, complete.Complete(4, "", 2, {}, values, {}, state))
    start(run, data(source(text)), 0)
    packed = only(before).path.read_bytes()
    (text / "b.txt").write_bytes(b"longer")
    with pytest.raises(
        Failure, match="the data changed since step 4 was saved: 4 files of 4 bytes then, 4 files of 9 bytes now"
    ):
        start(run, data(source(text)), 0)
    assert only(before).path.read_bytes() == packed
