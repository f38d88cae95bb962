"""Which rank decided how an attempt ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cfgc_runtime.attempt import Exit, create_attempt, newest_attempt, verdict
from cfgc_runtime.errors import Failure
from cfgc_runtime.rundir import RunDirectory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("codes", "launcher", "expected"),
    [
        ([0, 0], 0, 0),
        ([75, 75], 0, 75),
        ([75, 0], 0, 75),
        ([66, 1], 1, 66),
        ([76, 137], 1, 137),
        ([76, 76], 1, 76),
        ([75, 3], 1, 3),
        ([0], 1, 1),
        ([75], -15, 143),
        ([], -9, 137),
        ([0], 0, 70),
    ],
)
def test_the_cause_decides(codes: list[int], launcher: int, expected: int) -> None:
    exits = [Exit(rank, code, float(rank), "") for rank, code in enumerate(codes)]
    assert verdict(exits, launcher, ranks=range(2))[0] == expected


def test_records_survive_and_the_first_one_stands(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    attempt = create_attempt(run)
    attempt.record_pid(0, 0, 11)
    attempt.record_pid(1, 0, 12)
    attempt.record_pid(2, 1, 13)
    assert attempt.running(range(2)) == {0: 11, 1: 12}
    attempt.record_exit(1, 66, "no data")
    attempt.record_exit(1, 137)
    assert attempt.running(range(2)) == {0: 11}
    assert [(one.rank, one.code, one.message) for one in newest_attempt(run).exits()] == [(1, 66, "no data")]


def test_attempts_are_counted_from_the_highest(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    for name in ("002", "999", "1000"):
        (run.attempts / name / "logs").mkdir(parents=True)
        (run.attempts / name / "logs" / "node-0.log").touch()
    assert create_attempt(run).path.name == "1001"
    assert newest_attempt(run).path.name == "1001"


def test_an_attempt_in_which_nothing_was_started_is_opened_again(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert create_attempt(run, 8).path.name == "001"
    assert create_attempt(run, 12).path.name == "001"  # two jobs that were staged at the same moment
    assert newest_attempt(run).started_from == 12
    newest_attempt(run).reserve(0)
    assert create_attempt(run, 12).path.name == "002"


def test_a_record_that_was_cut_off_is_an_unexpected_end(tmp_path: Path) -> None:
    attempt = create_attempt(RunDirectory(tmp_path))
    attempt.record_exit(0, 75)
    damaged = attempt.path / "exits" / "rank-1"
    damaged.write_text('{"rank": 1, "co')
    code, cause = verdict(attempt.exits(), 0, ranks=range(2))
    assert code == 70
    assert cause is not None
    assert cause.message == f"the record of how it ended is damaged: {damaged}"
    (attempt.path / "pids" / "rank-2").write_text("")
    assert attempt.running(range(3)) == {}


def test_room_for_the_records_is_taken_beforehand(tmp_path: Path) -> None:
    attempt = create_attempt(RunDirectory(tmp_path))
    attempt.reserve(3)
    [reserved] = (attempt.path / "exits").iterdir()
    inode = reserved.stat().st_ino
    assert attempt.exits() == []
    attempt.record_exit(3, 74, "No space left on device: run")
    assert (attempt.path / "exits" / "rank-3").stat().st_ino == inode
    assert [(one.rank, one.code) for one in attempt.exits()] == [(3, 74)]
    attempt.record_pid(3, 0, 17)
    assert (attempt.path / "pids" / "rank-3").read_bytes() == b"0 17\n"


def test_a_run_directory_without_an_attempt_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="run the runtime's `stage` command first"):
        newest_attempt(RunDirectory(tmp_path))
