"""What a job's supervisors leave behind, and the exit code that its script makes of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime.attempt import Attempt, create_attempt
from cfgc_runtime.outcome import report, report_share, settle_job
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.share import Share, await_word
from tests.runtime.bundles import compile_tiny

if TYPE_CHECKING:
    from pathlib import Path

WORLD = range(4)
TOPOLOGY: Any = SimpleNamespace(nodes=2, ranks_per_node=2, world_size=4)


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return create_attempt(RunDirectory(tmp_path))


def outcome(attempt: Attempt, status: int) -> int:
    return report(attempt, status, WORLD, "srun", attempt.log("srun"))


def test_a_share_is_a_node_or_a_rank() -> None:
    assert (list(Share(1).ranks(TOPOLOGY)), Share(1).name, Share(1).variables(TOPOLOGY)) == ([2, 3], "1", {})
    single = Share(1, 1)
    assert (list(single.ranks(TOPOLOGY)), single.name, single.leads_node) == ([3], "1.1", False)
    assert single.variables(TOPOLOGY) == {
        "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2",
        "GROUP_RANK": "1", "GROUP_WORLD_SIZE": "2",
    }  # fmt: skip
    assert [Share(0, 0).leads, Share(0).leads, Share(0, 1).leads, Share(1, 0).leads] == [True, True, False, False]


def test_a_supervisor_vouches_for_its_own_ranks(attempt: Attempt) -> None:
    """A task's ranks may end at different times, so that the others' records are not there yet."""
    attempt.record_exit(1, 0)
    assert report_share(attempt, 0, [1], attempt.log("node-0.1")) == 0
    attempt.record_exit(0, 75)
    assert report_share(attempt, 0, [0], attempt.log("node-0.0")) == 75
    attempt.record_exit(3, 42, "bad luck")
    assert report_share(attempt, 0, [0], attempt.log("node-0.0")) == 42


def test_a_launcher_that_fails_by_itself_is_put_down(attempt: Attempt, capsys: pytest.CaptureFixture[str]) -> None:
    attempt.log("node-1").write_text("the store does not answer\n")
    assert report_share(attempt, 1, range(2, 4), attempt.log("node-1")) == 1
    assert capsys.readouterr().err == ""  # the job's script says it, once
    assert outcome(attempt, 1) == 1
    assert "the store does not answer" in capsys.readouterr().err


def test_the_cause_is_not_one_of_those_that_were_ended_for_it(attempt: Attempt) -> None:
    """Even when their node's clock is an hour behind."""
    for rank, code in ((0, 76), (1, 76), (2, 42), (3, 0)):
        attempt.record_exit(rank, code)
    early = attempt.path / "exits" / "rank-0"
    early.write_text(early.read_text().replace('"at": 1', '"at": 0.1'))
    assert outcome(attempt, 137) == 42


@pytest.mark.parametrize(("status", "expected"), [(1, 1), (-9, 137), (143, 143), (0, 70)])
def test_without_a_word_the_code_of_srun_counts(
    status: int, expected: int, attempt: Attempt, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt.log("srun").write_text("srun: error: Unable to create step\n")
    assert outcome(attempt, status) == expected
    assert "Unable to create step" in capsys.readouterr().err


def test_tasks_that_were_told_to_end_before_they_could_speak_were_stopped(attempt: Attempt, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    compile_tiny(bundle)
    run = RunDirectory(tmp_path)
    assert settle_job(bundle, run, attempt, 143) == 75
    assert attempt.taken.exists()
    attempt.record_exit(0, 3)
    assert settle_job(bundle, run, attempt, 143) == 3


def test_tasks_that_were_killed_whole_while_others_saved_are_put_down(attempt: Attempt, tmp_path: Path) -> None:
    """What the records say is what the job ended with."""
    bundle = tmp_path / "bundle"
    compile_tiny(bundle)
    run = RunDirectory(tmp_path)
    attempt.record_exit(0, 75, "it was ended before its first step, as asked")
    assert settle_job(bundle, run, attempt, 137) == 137
    assert {end.rank: end.code for end in attempt.exits()} == {0: 75, 1: 137}
    assert attempt.has_failed
    assert settle_job(bundle, run, attempt, 137) == 137


def test_an_srun_that_started_nothing_leaves_no_record_of_a_rank(attempt: Attempt, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    compile_tiny(bundle)
    assert settle_job(bundle, RunDirectory(tmp_path), attempt, 1) == 1
    assert attempt.exits() == []


def test_who_does_not_lead_a_node_waits_for_who_does(attempt: Attempt) -> None:
    attempt.ready(0).touch()
    assert await_word(attempt, 0)
    attempt.record_exit(2, 78, "no GPU")
    assert not await_word(attempt, 1)
