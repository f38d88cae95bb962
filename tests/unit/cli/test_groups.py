"""A word that is no command."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfgc.cli import run


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chekc", "a.toml"], "there is no command `chekc`; did you mean `check`?"),
        (["CHECK"], "did you mean `check`?"),
        (["lint"], "did you mean `lint-sbatch`?"),
        (["data", "pakc"], "there is no command `pakc`; did you mean `pack`?"),
        (["runs", "shwo", "runs/a"], "there is no directory `shwo`; did you mean `show`?"),
    ],
)
def test_the_nearest_one_is_named(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 64
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("words", [["frobnicate"], ["runs", "nowhere"], ["--versoin"]])
def test_nothing_is_made_up_where_none_is_near(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 64
    assert "did you mean `" not in capsys.readouterr().err


def test_a_directory_of_that_name_is_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shwo").mkdir()
    assert run(["runs", "shwo"]) == 0
