"""Which ends are worth another start, and when to stop trying."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime import cli, lock
from cfgc_runtime.attempt import create_attempt
from cfgc_runtime.errors import Failure
from cfgc_runtime.lock import alone, running
from cfgc_runtime.mourning import Mourner
from cfgc_runtime.retry import decide, decide_after_save, may_be_retried, newest_step, refuse_start
from cfgc_runtime.rundir import RunDirectory

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 2**22 + 1
"""No process has this id."""


def launch(max_attempts: int = 5, delay: int = 30) -> Any:
    return SimpleNamespace(max_attempts=max_attempts, restart_delay_s=delay)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "run")


def fail(run: RunDirectory, code: int = 137, saved: int = 0, *, taken: bool = False) -> None:
    """An attempt that ended with ``code`` after saving step ``saved`` (0: nothing); ``taken``: away from the run."""
    attempt = create_attempt(run, newest_step(run))
    attempt.reserve(0)
    if saved:
        checkpoint = run.checkpoints / f"step-{saved:08d}"
        checkpoint.mkdir(parents=True)
        (checkpoint / "complete.json").write_text("{}")
    attempt.record_exit(0, code)
    if taken:
        attempt.taken.touch()


@pytest.mark.parametrize(
    ("code", "again"),
    [(137, True), (139, True), (134, True), (76, True), (77, True)]
    + [(code, False) for code in (0, 1, 3, 64, 65, 66, 70, 73, 74, 75, 78, 129, 130, 143)],
)
def test_only_what_can_end_otherwise_is_tried_again(run: RunDirectory, code: int, again: bool) -> None:
    fail(run, code)
    assert may_be_retried(code) is again
    assert decide(run, code, launch()).again is again


def test_a_start_that_was_refused_does_not_count(run: RunDirectory) -> None:
    """Two jobs at once: the second one opens an attempt before the first one's supervisors hold the run."""
    fail(run, 137)
    refused = create_attempt(run)
    (refused.path / "logs" / "srun.log").touch()
    refused.record_exit(0, 65, "the run directory is in use")
    assert create_attempt(run).path.name == "003"
    assert "attempt 2 of 2" in decide(run, 137, launch(max_attempts=2)).line
    refused.record_pid(0, 0, NOBODY)
    assert "this was attempt 2 of 2" in decide(run, 137, launch(max_attempts=2)).line, "a rank was there"


def test_each_start_counts_and_waits_longer(run: RunDirectory) -> None:
    lines = []
    for saved in (4, 8, 12, 16, 20):
        fail(run, saved=saved)
        lines.append(decide(run, 137, launch()))
    assert [found.delay_s for found in lines] == [30, 60, 120, 240, 0]
    assert lines[0].line == "starting again in 30 s, attempt 2 of 5, from step 4"
    assert lines[-1].line == "not started again: this was attempt 5 of 5 (launch.max_attempts)"
    assert decide(run, 137, launch(1000, delay=30)).delay_s == 480
    assert decide(run, 137, launch(1000, delay=3600)).delay_s == 3600


def test_two_attempts_without_a_new_checkpoint_stop_it(run: RunDirectory) -> None:
    fail(run, saved=4)
    fail(run)
    assert decide(run, 137, launch()).again
    fail(run)
    assert decide(run, 137, launch()).line == (
        "not started again: attempts 2 and 3 both failed before a checkpoint after step 4"
    )


@pytest.mark.parametrize("code", [75, 137])
def test_an_attempt_that_was_taken_away_does_not_stand_still(run: RunDirectory, code: int) -> None:
    """Preempted, requeued or cancelled while it started, and killed before it could say a word."""
    config: Any = SimpleNamespace(WORK="train", LAUNCH=launch(), TOPOLOGY=SimpleNamespace(world_size=1))
    for _ in range(3):
        fail(run, code, taken=True)
        refuse_start(run, config)
    fail(run)
    refuse_start(run, config)
    fail(run, code, taken=True)
    with pytest.raises(Failure, match=r"attempt 5 of 5 \(launch.max_attempts\)"):
        refuse_start(run, config)


def test_failures_around_an_attempt_that_was_taken_away_count(run: RunDirectory) -> None:
    for taken in (False, True, False):
        fail(run, taken=taken)
    assert decide(run, 137, launch()).line == (
        "not started again: attempts 1 and 3 both failed before a checkpoint after step 0"
    )


def test_nothing_is_called_saved_that_was_not(run: RunDirectory) -> None:
    config: Any = SimpleNamespace(WORK="train", LAUNCH=launch())
    fail(run, 75, taken=True)
    assert decide_after_save(run, config).line == (
        "queued again, attempt 2 of 5, from the beginning, as nothing was saved yet"
    )
    fail(run, 75, saved=4)
    assert decide_after_save(run, config).line == "saved; queued again, attempt 3 of 5, from step 4"
    fail(run, 75, taken=True)
    assert decide_after_save(run, config).line == "queued again, attempt 4 of 5, from step 4"


def test_an_attempt_that_was_told_to_stop_is_no_failure(run: RunDirectory) -> None:
    fail(run, code=75)
    fail(run)
    decision = decide(run, 137, launch())
    assert decision.again
    assert "from the beginning, as nothing was saved yet" in decision.line


def test_what_goes_wrong_in_the_same_way_again_is_not_tried(run: RunDirectory) -> None:
    fail(run, code=3)
    assert decide(run, 3, launch()).line == (
        "not started again: exit code 3 (the loss or the gradient is no longer a number) "
        "comes again with the next start"
    )


def test_a_rank_that_is_gone_without_a_word_was_killed(run: RunDirectory) -> None:
    attempt, now = create_attempt(run), [0.0]
    attempt.record_pid(0, 0, NOBODY)
    mourner = Mourner(attempt, lambda: now[0])
    mourner.look(attempt.running([0]))
    assert attempt.exits() == []  # its parent may be about to say it
    now[0] = 1.1
    mourner.look(attempt.running([0]))
    assert [(end.rank, end.code) for end in attempt.exits()] == [(0, 137)]
    assert not mourner.is_over()
    now[0] = 12.0
    assert mourner.is_over()


def test_another_start_waits_for_what_still_holds_the_run_directory(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(run)
    monkeypatch.setattr(cli, "load_config", lambda _file: SimpleNamespace(LAUNCH=launch(delay=1)))
    with running(run):
        child = os.fork()  # as a data worker of a rank that was killed: it holds the lock that the rank took
        if child == 0:
            time.sleep(1)
            os._exit(0)
    with pytest.raises(Failure, match="is in use"), alone(run):
        pass
    assert cli.main(["again", "--run-dir", str(run.root), "--code", "137"]) == 0
    assert capsys.readouterr().out == "1\n"
    with alone(run):
        assert os.waitpid(child, 0) == (child, 0)


def test_another_start_does_not_wait_for_ever(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(run)
    monkeypatch.setattr(cli, "load_config", lambda _file: SimpleNamespace(LAUNCH=launch(delay=1)))
    monkeypatch.setattr(lock, "_ENDING_S", 0.2)
    with running(run):
        assert cli.main(["again", "--run-dir", str(run.root), "--code", "137"]) == 0
    assert capsys.readouterr().out == "1\n"
