"""``cfgc plot``: pictures whose bytes follow from the data, and curves in the terminal."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cfgc.cli import run
from cfgc.runs.drawing import COLOURS
from cfgc.runs.series import smoothed, spans_decades
from tests.unit.cli.run_directories import make_run

if TYPE_CHECKING:
    from cfgc_runtime.rundir import RunDirectory


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunDirectory]:
    directory = tmp_path_factory.mktemp("runs")
    return [make_run(directory / name, rate=rate) for name, rate in (("slow", 1e-3), ("fast", 3e-3))]


def test_equal_data_gives_equal_bytes(runs: list[RunDirectory], tmp_path: Path) -> None:
    places = [str(one.root) for one in runs]
    for suffix in ("svg", "png", "pdf"):
        pictures = [tmp_path / f"{number}.{suffix}" for number in (1, 2)]
        for picture in pictures:
            assert run(["plot", *places, "-o", str(picture), "--smooth", "5", "--x", "tokens"]) == 0
        assert pictures[0].read_bytes() == pictures[1].read_bytes()
        assert len(pictures[0].read_bytes()) > 5_000


def test_each_run_has_its_colour_and_light_ground(runs: list[RunDirectory], tmp_path: Path) -> None:
    assert run(["plot", *(str(one.root) for one in runs), "-o", str(tmp_path / "both.svg")]) == 0
    text = (tmp_path / "both.svg").read_text().lower()
    assert {colour for colour in map(str.lower, COLOURS[:3]) if colour in text} == {"#0072b2", "#d55e00"}
    assert "fill: #ffffff" in text
    drawn = re.findall(r"<!-- (.*?) -->", text)
    assert {"training loss", "learning rate", "gradient norm", "tokens per second", "slow", "fast"} <= set(drawn)


def test_one_metric_is_one_panel(runs: list[RunDirectory], tmp_path: Path) -> None:
    assert run(["plot", str(runs[0].root), "--metric", "grad_norm", "--x", "time", "-o", str(tmp_path / "a.svg")]) == 0
    drawn = re.findall(r"<!-- (.*?) -->", (tmp_path / "a.svg").read_text())
    assert "gradient norm" in drawn
    assert "hours since the start" in drawn
    assert "training loss" not in drawn


def test_without_a_file_it_draws_here(runs: list[RunDirectory], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plot", *(str(one.root) for one in runs), "--metric", "loss", "--metric", "lr"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [
        *("training loss · slow", "training loss · fast", "learning rate · slow", "learning rate · fast")
    ]
    assert blocks[2].splitlines()[1].startswith("9.09e-04 ┤")


def test_what_cannot_be_drawn_is_said(
    runs: list[RunDirectory], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(runs[0].root)
    assert run(["plot", place, "--metric", "lose"]) == 1
    assert "there are eval_loss, grad_norm, loss, lr, tokens_per_s" in capsys.readouterr().err
    assert run(["plot", place, "-o", "a.jpeg"]) == 64
    assert run(["plot", str(tmp_path)]) == 1
    assert "nothing was recorded yet" in capsys.readouterr().err
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run(["plot", place, "-o", str(tmp_path / "a.png")]) == 1
    assert "pip install 'cfgc[plot]'" in capsys.readouterr().err


def test_a_mean_starts_at_the_first_value() -> None:
    assert smoothed([(1, 4.0)], 10) == [(1, 4.0)]
    means = [value for _, value in smoothed([(x, 2.0 if x % 2 else 0.0) for x in range(1, 200)], 20)]
    assert means[0] == 2.0
    assert means[-1] == pytest.approx(1.0, abs=0.1)


def test_decades_are_drawn_as_such() -> None:
    assert spans_decades([1e-5, 1e-3])
    assert not spans_decades([1.0, 10.0])
    assert not spans_decades([0.0, 1e-3])
