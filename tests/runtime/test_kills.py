"""Killed at random moments, a run is in the end what it would have been: bit for bit (``bench/kills.py`` has more)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import Run, new_run
from tests.runtime.kills import differences, draw, endure, samples_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_same_seed_draws_the_same_kills() -> None:
    kills = draw(7, 20, accumulation=2, every=4)
    assert kills == draw(7, 20, accumulation=2, every=4) != draw(8, 20, accumulation=2, every=4)
    assert {kill.kind for kill in kills} == {"step", "accumulation", "save", "start"}
    assert {kill.who for kill in kills} == {"0", "1", "all", "machine"}
    assert all(kill.number % 2 == 0 for kill in kills if kill.kind == "step")
    assert all(kill.number % 2 == 1 for kill in kills if kill.kind == "accumulation")


@pytest.mark.slow
def test_killed_in_a_save_and_in_an_accumulation(tmp_path: Path, finished: Callable[..., Run]) -> None:
    run = new_run(tmp_path)
    kills = [kill for kill in draw(1, 4, accumulation=2, every=4) if kill.kind in ("save", "accumulation")]
    struck = list(endure(run, kills))
    assert [one.code != 0 for one in struck] == [True, True]
    assert differences(run, finished()) == []
    assert len(samples_of(run)) == 12


def test_what_is_not_the_same_is_found(tmp_path: Path) -> None:
    runs = [Run(tmp_path, tmp_path / name) for name in ("whole", "broken")]
    for run, loss, digest in zip(runs, (1.0, 1.0000001), ("aa", "ab"), strict=True):
        checkpoint = run.directory / "checkpoints" / "step-00000004"
        checkpoint.mkdir(parents=True)
        (checkpoint / "complete.json").write_text(json.dumps({"files": {"weights.pt": {"sha256": digest}}}))
        lines = [{"step": 1, "loss": loss, "time": loss}, {"step": 2, "loss": 0.5, "time": loss}]
        (run.directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert differences(runs[0], runs[0]) == []
    assert differences(runs[1], runs[0]) == [
        "metrics: {'step': 1, 'loss': 1.0000001} instead of {'step': 1, 'loss': 1.0}",
        "checkpoint: weights.pt",
    ]
