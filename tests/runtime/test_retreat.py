"""When a run that is asked to stop is ended before its first step, and what says that a job was taken away."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from cfgc_runtime.attempt import Attempt, create_attempt
from cfgc_runtime.mourning import Mourner
from cfgc_runtime.pulse import CONNECTING, FIRST_EVALUATION, FIRST_STEP, IMPORTING, PREPARING, TRAINING, Pulse
from cfgc_runtime.retreat import Retreat
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.signals import STOP_SIGNALS, StopRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return create_attempt(RunDirectory(tmp_path))


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("phase", ["", IMPORTING, CONNECTING, PREPARING])
def test_ranks_get_a_moment_while_one_has_not_begun(attempt: Attempt, phase: str) -> None:
    now = [0.0]
    retreat = Retreat(attempt, 2, lambda: now[0])
    Pulse(attempt.beat_of(0)).enter(FIRST_STEP)
    if phase:
        Pulse(attempt.beat_of(1)).enter(phase)
    assert not retreat.is_due(asked=False)
    now[0] = 60
    assert not retreat.is_due(asked=True)
    now[0] = 61
    assert not retreat.is_due(asked=True)
    now[0] = 62.1
    assert retreat.is_due(asked=True)


@pytest.mark.parametrize("phase", [FIRST_STEP, FIRST_EVALUATION, TRAINING])
def test_ranks_that_have_begun_agree_to_stop_by_themselves(attempt: Attempt, phase: str) -> None:
    now = [0.0]
    retreat = Retreat(attempt, 2, lambda: now[0])
    for rank in range(2):
        Pulse(attempt.beat_of(rank)).enter(phase)
    for now[0] in (0, 10, 100):
        assert not retreat.is_due(asked=True)


def test_that_a_rank_elsewhere_was_stopped_is_seen(attempt: Attempt) -> None:
    mourner = Mourner(attempt)
    attempt.record_exit(0, 0)
    mourner.look({})
    assert not mourner.has_stopped
    attempt.record_exit(1, 75)
    mourner.look({})
    assert mourner.has_stopped


@pytest.mark.parametrize(
    ("numbers", "taken"),
    [
        ([signal.SIGTERM], True),
        ([signal.SIGTERM, signal.SIGUSR2], True),
        ([signal.SIGUSR2, signal.SIGTERM], False),  # the time limit
        ([signal.SIGINT], False),
    ],
)
@pytest.mark.usefixtures("handlers")
def test_term_takes_a_run_away_unless_it_was_asked_before(numbers: list[signal.Signals], taken: bool) -> None:
    stop = StopRequest()
    stop.install()
    for number in numbers:
        signal.raise_signal(number)
    assert stop.requested
    assert stop.taken_away is taken
