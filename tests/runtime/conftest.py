"""Runs that several tests look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import Run, new_run

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """A run of the tiny bundle that nothing disturbed; one for each set of overrides."""
    runs: dict[tuple[str, ...], Run] = {}

    def train(*overrides: str) -> Run:
        if overrides not in runs:
            run = new_run(tmp_path_factory.mktemp("finished"), *overrides)
            outcome = run.to_end()
            assert outcome.code == 0, (outcome, run.logs())
            runs[overrides] = run
        return runs[overrides]

    return train
