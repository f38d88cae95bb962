"""Asked to stop, a run saves first; started again, it goes on."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import WAIT_S, Run, new_run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow


def test_stop_twice_resume_twice_and_start_a_finished_run(tmp_path: Path, finished: Callable[..., Run]) -> None:
    run = new_run(tmp_path)

    first = run.start(TEST_SLOW="0.1")
    run.wait_for_step(1, first)
    first.send_signal(signal.SIGUSR2)
    _, error = first.communicate(timeout=WAIT_S)
    assert first.returncode == 75, (error, run.logs())
    assert "stopped as asked" in error
    stopped_at = max(run.steps())
    assert stopped_at < 12

    second = run.start(TEST_SLOW="0.1")
    run.wait_for_step(stopped_at + 1, second)
    for _ in range(3):  # TERM that reaches one rank only, and again while it saves
        os.kill(run.pids(attempt=2)[1], signal.SIGTERM)
    out, error = second.communicate(timeout=WAIT_S)
    assert second.returncode == 75, (error, run.logs())
    assert f"resumed from step {stopped_at}" in out
    assert max(run.steps()) < 12

    last = run.to_end()
    assert last.code == 0, (last, run.logs())
    assert run.metrics() == finished().metrics()

    again = run.to_end()
    assert again.code == 0
    assert "already finished" in again.out
    assert "held-out loss" in again.out
    assert not (run.directory / "attempts" / "004").exists()


def test_a_start_that_is_told_to_end_with_all_its_processes_is_no_failure(tmp_path: Path) -> None:
    """As Slurm does when it preempts a job: torchrun, and ranks that do not listen yet, get TERM like all others."""
    run = new_run(tmp_path)
    process = run.start()
    deadline = time.monotonic() + WAIT_S
    while not list(run.directory.glob("attempts/001/pids/rank-*")):  # the other rank may not be there yet
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    for pid in descendants(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    _, error = process.communicate(timeout=WAIT_S)
    assert process.returncode == 75, (error, run.logs())
    assert "stopped as asked" in error
    assert not (run.directory / "metrics.jsonl").exists()
    assert (run.directory / "attempts" / "001" / "taken").exists()


def descendants(pid: int) -> list[int]:
    """Processes below ``pid``, the nearest first."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for parent in found:
        found += [child for child, its in parents.items() if its == parent]
    return found[1:]


def test_a_second_start_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    first = run.start(TEST_SLOW="0.2")
    run.wait_for_step(1, first)
    second = run.to_end()
    assert second.code == 65
    assert "is in use" in second.err
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=WAIT_S)
    assert first.returncode == 75


def test_a_second_interrupt_does_not_wait_for_the_save(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    process = run.start(TEST_SLOW="3")
    run.wait_for_step(1, process)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: the script and the supervisor get it
        time.sleep(0.5)
    _, error = process.communicate(timeout=WAIT_S)
    assert process.returncode == 137, (error, run.logs())
    assert run.steps() == [1]
