"""Runs on packed data, on records with bad ones among them, and with a tokenizer of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cfgc_runtime.data.token_file import open_token_file
from tests.runtime.bundles import HERE, Run, new_run
from tests.runtime.data_files import TEXTS, write_lines, write_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow


def source(said: str) -> str:
    return f'data.sources=[{{ name = "text", {said} }}]'


@pytest.mark.covers("data.sources.kind", "data.sources.path")
def test_packed_by_hand_or_by_the_run_the_same_is_trained(
    tmp_path: Path, finished: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cfgc.cli import run as cfgc

    run = new_run(tmp_path / "run", source('kind = "tokens", path = "packed/text.tokens"'))
    monkeypatch.chdir(run.cwd)
    assert cfgc(["data", "pack", str(HERE / "tiny.toml"), "-o", "packed"]) == 0
    assert 'kind = "tokens"\npath = "packed/text.tokens"' in capsys.readouterr().out
    outcome = run.to_end()
    assert outcome.code == 0, (outcome, run.logs())
    assert run.metrics() == finished().metrics()
    assert not list((run.directory / "data").glob("*.tokens"))


@pytest.mark.covers(
    "data.sources.field",
    "data.tokenizer.kind",
    "data.tokenizer.path",
    "data.tokenizer.end_token",
    "data.max_bad_records",
)
def test_records_are_packed_once_with_a_tokenizer_of_ones_own(tmp_path: Path) -> None:
    said = (
        'data.tokenizer.kind="tokenizers"',
        'data.tokenizer.path="tokenizer.json"',
        'data.tokenizer.end_token="<x>"',
    )
    records = source('kind = "jsonl", path = "records", field = "body"')
    run = new_run(tmp_path / "run", records, *said, "model.vocab_size=320", "data.max_bad_records=1")
    write_tokenizer(run.cwd / "tokenizer.json", "<x>")
    (run.cwd / "records").mkdir()
    lines = [{"body": f"{number} {TEXTS[number % len(TEXTS)]}"} for number in range(800)]
    write_lines(run.cwd / "records" / "a.jsonl", *lines, b"{", {"body": ""})
    refused = run.to_end()
    assert refused.code == 66
    assert f"{run.cwd}/records/a.jsonl:802: `body` is empty (bad record number 2" in refused.err
    write_lines(run.cwd / "records" / "a.jsonl", *lines, b"{")
    outcome = run.to_end()
    assert outcome.code == 0, (outcome, run.logs())
    assert "left out 1 bad record, named in" in outcome.out
    packed = open_token_file(run.directory / "data" / "000-text.tokens")
    packed.verify()
    assert (packed.header.documents, packed.header.bad_records) == (800, 1)
    assert packed.tokens[packed.starts[1:].astype(int) - 1].tolist() == [0] * 800
    assert min(line["loss"] for line in run.metrics() if "loss" in line) < 5.7
