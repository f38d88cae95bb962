"""Killed at random moments, a run is in the end what it would have been: bit for bit (``bench/kills.py`` has more)."""

from __future__ import annotations

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
