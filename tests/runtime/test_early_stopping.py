"""A run whose held-out loss does not improve enough ends early, and is finished then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import new_run
from tests.runtime.kills import newest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

RULE = ("training.early_stopping.patience=1", "training.early_stopping.threshold=100.0")
SMALL = ("launch.gpus_per_node=1", "zero=0", "evaluation.every_steps=2", "checkpoint.every_steps=10")


@pytest.mark.covers("training.early_stopping.patience", "training.early_stopping.threshold")
def test_it_saves_says_why_and_is_finished(tmp_path: Path) -> None:
    run = new_run(tmp_path, *RULE, *SMALL)
    outcome = run.to_end()
    assert outcome.code == 0, (outcome, run.logs())
    assert "tiny  1 rank on cpu" in outcome.out
    said = "stopped early at step 4: the held-out loss did not improve by 100.0 in 1 evaluation"
    assert said in outcome.out
    assert run.steps() == [1, 2, 3, 4]
    assert newest(run) == 4
    assert json.loads((run.directory / "finished.json").read_text())["step"] == 4

    again = run.to_end()
    assert again.code == 0, (again, run.logs())
    assert "already finished" in again.out
    assert [path.name for path in (run.directory / "attempts").iterdir()] == ["001"]
