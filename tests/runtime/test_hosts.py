"""Which machines failed an attempt, which ones a run keeps away from, and which starts are one too many."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime.attempt import Attempt, create_attempt
from cfgc_runtime.errors import Failure
from cfgc_runtime.hosts import exclude, excluded, record_hosts, suspects
from cfgc_runtime.mourning import Mourner
from cfgc_runtime.retry import decide_after_save, newest_step, refuse_start
from cfgc_runtime.rundir import RunDirectory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOSTS = ("a", "b", "c", "d")
NOBODY = 2**22 + 1
"""No process has this id."""


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "run")


def attempt_of(run: RunDirectory, exits: Mapping[int, int], hosts: tuple[str, ...] = HOSTS) -> Attempt:
    """An attempt with two ranks on each of ``hosts``, all started; ``exits`` are codes by rank."""
    attempt = create_attempt(run, newest_step(run))
    record_hosts(attempt, hosts)
    for rank in range(2 * len(hosts)):
        attempt.reserve(rank)
        attempt.record_pid(rank, rank // 2, NOBODY)
    for rank, code in exits.items():
        attempt.record_exit(rank, code)
    return attempt


def save(run: RunDirectory, step: int) -> None:
    checkpoint = run.checkpoints / f"step-{step:08d}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "complete.json").write_text("{}")


@pytest.mark.parametrize(
    ("exits", "found"),
    [
        (dict.fromkeys(range(6), 76), {"d": "silent"}),
        ({0: 76, 1: 76}, {}),  # three of four: it is not the machines
        (dict.fromkeys(range(6), 75), {}),  # it was asked to stop, and the rest had no time
        ({}, {}),
        ({5: 77, **dict.fromkeys(range(5), 76), 6: 76, 7: 76}, {"c": "hung"}),
        ({5: 3, **dict.fromkeys(range(5), 76), 6: 76, 7: 76}, {}),
    ],
)
def test_the_machine_that_failed_is_named(run: RunDirectory, exits: dict[int, int], found: dict[str, str]) -> None:
    attempt_of(run, exits)
    assert suspects(run, 2) == found


@pytest.mark.parametrize(
    ("told", "exits", "found"),
    [
        ((0, 1, 3), {}, {"c": "lost"}),
        ((0, 1, 3), {0: 75, 1: 75}, {"c": "lost"}),
        ((0, 1, 3), {4: 75, 5: 75}, {}),  # it saved, and was gone before it could hear
        ((0, 1, 2, 3), {}, {}),
        ((), {}, {}),  # Slurm took it away without a word
        ((3,), {}, {}),
    ],
)
def test_a_machine_that_alone_did_not_hear_that_the_attempt_is_taken_away_is_named(
    run: RunDirectory, told: tuple[int, ...], exits: dict[int, int], found: dict[str, str]
) -> None:
    attempt = attempt_of(run, exits)
    for node in told:
        attempt.told(node).touch()
    assert suspects(run, 2) == found


@pytest.mark.parametrize(
    ("exits", "found"),
    [
        ({}, {"c": "lost"}),  # the ranks that are left wait for those of the lost machine
        (dict.fromkeys((0, 1, 4, 5), 76), {"c": "lost"}),
        ({4: 75}, {"c": "lost"}),
        ({4: 75, 5: 75}, {}),
        ({4: 0, 5: 0}, {}),
    ],
)
def test_a_machine_that_slurm_lost_is_named_while_the_attempt_goes_on(
    run: RunDirectory, exits: dict[int, int], found: dict[str, str]
) -> None:
    attempt = attempt_of(run, exits)
    attempt.told(0).touch()  # the others will hear in a moment
    assert suspects(run, 2, {"c", "other"}, over=False) == found


def test_machines_that_slurm_lost_are_not_named_when_they_are_most(run: RunDirectory) -> None:
    attempt_of(run, {})
    assert suspects(run, 2, {"a", "b", "c"}) == {}


def test_a_machine_whose_rank_was_killed_with_its_supervisor_is_named(run: RunDirectory) -> None:
    attempt = attempt_of(run, {})
    Mourner(attempt).record({3: NOBODY})
    for rank in (0, 1, 2, 4, 5, 6, 7):
        attempt.record_exit(rank, 76)
    assert suspects(run, 2) == {"b": "killed"}


def test_a_machine_whose_checks_failed_is_named(run: RunDirectory) -> None:
    attempt = create_attempt(run)
    record_hosts(attempt, ("a", "b"))
    for rank in (0, 1):
        attempt.record_pid(rank, 0, NOBODY)
    attempt.record_exit(2, 78, "b: no GPU answers")
    for rank in (0, 1):
        attempt.record_exit(rank, 76)
    assert suspects(run, 2) == {"b": "unfit"}


@pytest.mark.parametrize("code", [64, 65, 130, 140, 143])
def test_a_start_that_was_refused_or_stopped_early_is_no_machines_fault(run: RunDirectory, code: int) -> None:
    attempt = create_attempt(run)
    record_hosts(attempt, ("a", "b"))
    attempt.record_exit(0, code, "a: the run directory is in use")
    attempt.record_exit(2, 76)
    assert suspects(run, 2) == {}


def test_an_only_machine_is_never_blamed(run: RunDirectory) -> None:
    attempt_of(run, {0: 77}, ("a",))
    assert suspects(run, 2) == {}


def test_the_list_keeps_the_newest_and_no_more_than_can_be_spared(run: RunDirectory) -> None:
    run.root.mkdir()
    assert exclude(run, ["a", "b"], -1) == ["a", "b"]
    assert exclude(run, ["a", "c"], 2) == ["a", "c"]
    assert excluded(run) == ["a", "c"]
    assert exclude(run, ["d"], 0) == []
    assert run.excluded_nodes.read_text() == ""


def config_of(*, task: bool = False, attempts: int = 5) -> Any:
    launch, topology = SimpleNamespace(max_attempts=attempts), SimpleNamespace(world_size=2)
    return SimpleNamespace(WORK="script" if task else "train", LAUNCH=launch, TOPOLOGY=topology)


def test_a_training_that_saves_without_getting_on_is_not_queued_again(run: RunDirectory) -> None:
    attempt_of(run, {0: 75, 1: 75}, ("a",))
    save(run, 4)
    assert decide_after_save(run, config_of()).line == "saved; queued again, attempt 2 of 5, from step 4"
    attempt_of(run, {0: 75, 1: 75}, ("a",))
    assert decide_after_save(run, config_of()).again
    attempt_of(run, {0: 75, 1: 75}, ("a",))
    decision = decide_after_save(run, config_of())
    assert decision.line == "not started again: attempts 2 and 3 both ended without a checkpoint after step 4"
    assert decide_after_save(run, config_of(task=True)).again  # nobody knows how far a task is


@pytest.mark.parametrize("code", [75, 3])
def test_a_start_that_nobody_asked_for_is_refused_with_the_last_code(run: RunDirectory, code: int) -> None:
    attempt_of(run, {0: code, 1: code}, ("a",))
    refuse_start(run, config_of())
    with pytest.raises(Failure, match=r"attempt 1 of 1.*submit it by hand") as refused:
        refuse_start(run, config_of(attempts=1))
    assert refused.value.code == code


def test_two_attempts_that_were_killed_are_the_last(run: RunDirectory) -> None:
    for _ in range(2):
        attempt_of(run, {}, ("a",))
    with pytest.raises(Failure, match="attempts 1 and 2 both failed before a checkpoint after step 0") as refused:
        refuse_start(run, config_of())
    assert refused.value.code == 76
