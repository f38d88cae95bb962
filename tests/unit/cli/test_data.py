"""``cfgc data``: token files are made of a spec's sources, and looked into."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest

from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE, run

OLD = """
[[data.sources]]
name = "old"
kind = "tokens"
path = "old.tokens"
weight = 1.0
"""
SPEC = f"""
extends = "cfgc:bases/tiny.toml"
[overlays]
hardware = "cpu"
[experiment]
name = "x"
[[data.sources]]
name = "the books"
path = "books"
weight = 2.0
{OLD}
[[data.sources]]
name = "web"
kind = "jsonl"
path = "web.jsonl"
format = "prompt"
split = "eval"
[data]
max_bad_records = 1
[data.mixing]
enabled = true
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.toml").write_text(SPEC)
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "a.txt").write_text("Once upon a time.")
    (tmp_path / "books" / "b.txt").write_text("The end.")
    records = [json.dumps({"prompt": "2 + 2 = ", "completion": answer}) for answer in ("4", "")]
    (tmp_path / "web.jsonl").write_text("\n".join(records))
    return tmp_path


def test_what_is_packed_is_counted_and_can_be_pasted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "pack", "spec.toml", "-o", "tokens"]) == EXIT_OK
    said = capsys.readouterr()
    sources = tomllib.loads(said.out)["data"]["sources"]
    assert sources == [
        {"name": "the books", "kind": "tokens", "path": "tokens/the-books.tokens", "weight": 2.0},
        {"name": "web", "kind": "tokens", "path": "tokens/web.tokens", "split": "eval"},
    ]
    rows = [line.split() for line in said.err.splitlines()]
    assert ["the", "books", "2", "27", "0", "0.0", "0.0"] in rows
    assert ["web", "1", "10", "1", "0.0", "0.0"] in rows
    assert "bad records of web are named in tokens/web.bad-records.log" in said.err
    head = SPEC.partition("[[data.sources]]")[0]
    (project / "packed.toml").write_text(f"{head}{said.out}{OLD}[data.mixing]\nenabled = true\n")
    assert run(["check", "packed.toml"]) == EXIT_OK


def test_a_long_path_can_be_pasted_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = project / "a-directory-of-a-project" / ("with-a-long-name-" * 5)
    assert run(["data", "pack", "spec.toml", "-o", str(out)]) == EXIT_OK
    (*_, last) = tomllib.loads(capsys.readouterr().out)["data"]["sources"]
    assert Path(last["path"]).is_file()


def test_what_is_there_is_kept_and_what_is_in_the_way_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "pack", "spec.toml", "-o", "tokens"]) == EXIT_OK
    before = (project / "tokens" / "web.tokens").stat().st_mtime_ns
    assert run(["data", "pack", "spec.toml", "-o", "tokens"]) == EXIT_OK
    assert (project / "tokens" / "web.tokens").stat().st_mtime_ns == before
    assert "tokens/web.tokens was there already, of the same data" in capsys.readouterr().err
    (project / "books" / "b.txt").write_text("Another end.")
    assert run(["data", "pack", "spec.toml", "-o", "tokens"]) == 66
    assert "tokens/the-books.tokens is there already, and was packed from other files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "code", "said"),
    [
        ("data.max_bad_records=0", 66, "web.jsonl:2: `completion` is empty"),
        ("data.sequence_length=0", EXIT_REJECTED, "CFG306"),
        ("data.sources=[{ name = 'x', path = 'nowhere' }] data.mixing.enabled=false", 66, "nowhere is not a directory"),
        (
            "data.sources=[{ name = 'x', kind = 'tokens', path = 'x' }] data.mixing.enabled=false",
            EXIT_OK,
            "nothing to pack",
        ),
    ],
)
def test_what_cannot_be_packed_is_said(
    project: Path, capsys: pytest.CaptureFixture[str], override: str, code: int, said: str
) -> None:
    assert run(["data", "pack", "spec.toml", *override.replace("] ", "]\n").split("\n"), "-o", "tokens"]) == code
    assert said in capsys.readouterr().err
    assert not (project / "tokens" / "web.tokens").exists()


def test_a_token_file_is_shown_with_its_masks(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "pack", "spec.toml", "-o", "tokens"]) == EXIT_OK
    capsys.readouterr()
    assert run(["data", "show", "tokens/web.tokens", "--verify"]) == EXIT_OK
    shown = capsys.readouterr().out
    assert "\ndocument 0, 10 tokens:\n[2 + 2 = ]4<end>\n" in shown
    assert "bad records  1 left out" in shown
    assert "(verified)" in shown
    assert run(["data", "show", "tokens/the-books.tokens", "-n", "1"]) == EXIT_OK
    shown = capsys.readouterr().out
    assert "Once upon a time.<end>" in shown
    assert "The end." not in shown
    damaged = project / "tokens" / "web.tokens"
    raw = bytearray(damaged.read_bytes())
    raw[64] ^= 1
    damaged.write_bytes(raw)
    assert run(["data", "show", "tokens/web.tokens", "--verify"]) == 66
    assert "is damaged: its content is not what was written" in capsys.readouterr().err


def test_another_tokenizer_is_needed_to_decode_its_tokens(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.runtime.data_files import write_tokenizer

    write_tokenizer(project / "mine.json", "</s>")
    write_tokenizer(project / "other.json", "</s>", "<pad>")
    said = ['data.tokenizer={ kind = "tokenizers", path = "mine.json" }', "model.vocab_size=320"]
    assert run(["data", "pack", "spec.toml", *said, "-o", "tokens"]) == EXIT_OK
    assert "# [data.tokenizer] stays as it is" in capsys.readouterr().out
    assert run(["data", "show", "tokens/the-books.tokens", "-n", "1"]) == EXIT_OK
    assert " 0 \n" in capsys.readouterr().out
    assert run(["data", "show", "tokens/the-books.tokens", "--tokenizer", "mine.json"]) == EXIT_OK
    assert "Once upon a time.</s>" in capsys.readouterr().out
    assert run(["data", "show", "tokens/the-books.tokens", "--tokenizer", "other.json"]) == 66
    assert "is not the tokenizer that the file was packed with" in capsys.readouterr().err


def test_without_numpy_the_extra_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("cfgc_runtime.data")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert run(["data", "pack", "spec.toml", "-o", "tokens"]) == EXIT_USAGE
    assert "pip install 'cfgc[data]'" in capsys.readouterr().err
