"""Runs that several tests look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import Run, new_run

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Run]:
    """Per ZeRO stage, a run of the tiny bundle that nothing disturbed."""
    runs: dict[int, Run] = {}

    def train(stage: int) -> Run:
        if stage not in runs:
            run = new_run(tmp_path_factory.mktemp(f"zero-{stage}"), f"deepspeed.zero.stage={stage}")
            outcome = run.to_end()
            assert outcome.code == 0, (outcome, run.logs())
            runs[stage] = run
        return runs[stage]

    return train
