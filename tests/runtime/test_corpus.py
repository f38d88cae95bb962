"""Files become one stream of bytes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cfgc_runtime.data.corpus import END_OF_TEXT, load_corpus
from cfgc_runtime.errors import NO_INPUT, Failure


def source(path: Path, include: tuple[str, ...] = ("*.txt",), exclude: tuple[str, ...] = (), name: str = "a") -> Any:
    place = SimpleNamespace(base="absolute", name="", path=str(path))
    return SimpleNamespace(name=name, path=place, include=include, exclude=exclude)


def data(*sources: Any) -> Any:
    return SimpleNamespace(sources=sources)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    for name, content in {
        "b.txt": b"B",
        "a.txt": b"A\xff",
        "sub/c.txt": b"",
        "sub/deep/d.txt": b"D",
        "e.md": b"E",
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_files_are_sorted_and_each_ends_with_the_end_of_text(text: Path) -> None:
    corpus = load_corpus(data(source(text)))
    end = END_OF_TEXT
    assert corpus.tokens.tolist() == [ord("A"), 255, end, ord("B"), end, end, ord("D"), end]
    assert (corpus.fingerprint.files, corpus.fingerprint.bytes) == (4, 4)


def test_exclude_wins_and_whole_directories_are_left_out(text: Path) -> None:
    corpus = load_corpus(data(source(text, exclude=("sub/*",))))
    assert corpus.fingerprint.files == 2
    corpus = load_corpus(data(source(text, include=("sub/*", "*.md"), exclude=("*/d.txt",))))
    assert corpus.fingerprint.files == 2


def test_sources_keep_the_order_of_the_spec(text: Path) -> None:
    two = load_corpus(data(source(text, ("e.md",)), source(text, ("b.txt",), name="b")))
    assert two.tokens.tolist() == [ord("E"), END_OF_TEXT, ord("B"), END_OF_TEXT]


def test_the_fingerprint_sees_content_names_and_order(text: Path) -> None:
    def now() -> str:
        return load_corpus(data(source(text))).fingerprint.sha256

    first = now()
    assert now() == first
    (text / "b.txt").rename(text / "z.txt")
    renamed = now()
    (text / "z.txt").write_bytes(b"C")
    assert len({first, renamed, now()}) == 3


def test_what_is_missing_is_named(text: Path) -> None:
    with pytest.raises(Failure, match=r"data source `a`: .*/nowhere is not a directory") as caught:
        load_corpus(data(source(text / "nowhere")))
    assert caught.value.code == NO_INPUT
    with pytest.raises(Failure, match=r"no file below .* matches \*\.rs"):
        load_corpus(data(source(text, ("*.rs",))))


def test_a_file_that_cannot_be_read_is_named(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(Failure, match=r"a\.txt cannot be read: Permission denied"):
        load_corpus(data(source(text)))


def test_a_pipe_is_not_waited_for(text: Path) -> None:
    os.mkfifo(text / "pipe.txt")
    assert load_corpus(data(source(text))).fingerprint.files == 4


def test_an_unset_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_PLACE", raising=False)
    place = SimpleNamespace(base="env", name="NO_SUCH_PLACE", path="text")
    with pytest.raises(Failure, match="environment variable NO_SUCH_PLACE is not set"):
        load_corpus(data(SimpleNamespace(name="a", path=place, include=("*",), exclude=())))
