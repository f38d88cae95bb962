"""How an attempt ended, said once: by the supervisor of the one node, or by a job's script. Standard library only."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from cfgc_runtime.attempt import Attempt, shell_code, verdict
from cfgc_runtime.config import is_task, load_config
from cfgc_runtime.errors import FINISHED, PREEMPTED, is_failure, meaning, tell

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory

_LOG_LINES = 15
_TERMINATED = 128 + signal.SIGTERM


def report(attempt: Attempt, status: int, ranks: Collection[int], launcher: str, log: Path) -> int:
    """The exit code of an attempt with ``ranks``; says on stderr why it ended, unless it finished.

    ``status`` is how the ``launcher`` ended, whose own words are in ``log``.
    """
    code, cause = verdict(attempt.exits(), status, ranks)
    if code == FINISHED:
        return code
    if code == PREEMPTED:
        tell(f"exit code {code}: {meaning(code)}")
        return code
    who = f"rank {cause.rank}" if cause else f"{launcher} (exit code {shell_code(status)})"
    log = attempt.log(f"rank-{cause.rank}") if cause else log
    said = cause.message if cause and cause.message else tail(log)
    lines = (f"error: {who} failed with exit code {code}: {meaning(code)}", said, f"log: {log}")
    tell("\n".join(line for line in lines if line))
    return code


def report_share(attempt: Attempt, status: int, ranks: Collection[int], log: Path) -> int:
    """The exit code of one supervisor's ``ranks`` in a job; its script will say how the whole ended.

    When a launcher failed by itself, that is put down as the end of a rank, for the others to see.
    """
    code, cause = verdict(attempt.exits(), status, ranks)
    if cause is None and code not in (FINISHED, PREEMPTED):
        silent = min(set(ranks) - {end.rank for end in attempt.exits()})
        attempt.record_exit(silent, code, f"its launcher ended with exit code {shell_code(status)}\n{tail(log)}")
    return code


def settle_job(bundle: Path, run: RunDirectory, attempt: Attempt, status: int) -> int:
    """The exit code of a job whose step ended with ``status``, from what its ranks left behind."""
    config = load_config(bundle / "config.py")
    if run.read_finished(config.PLAN_DIGEST) is not None:
        return FINISHED
    if status == _TERMINATED and not attempt.exits():  # all tasks were, before they could say anything
        attempt.taken.touch()
        status = PREEMPTED
    ranks = range(config.TOPOLOGY.world_size)
    code = report(attempt, status, ranks, "srun", attempt.log("srun"))
    _put_down(attempt, status, ranks)
    if code == FINISHED and is_task(config):  # training says so itself
        opened = attempt.opened_at
        run.write_finished(config.PLAN_DIGEST, time.time() - opened if opened else 0.0, step=0)
    return code


def _put_down(attempt: Attempt, status: int, ranks: Collection[int]) -> None:
    """Where tasks were killed whole, and others saved, the records would say that the attempt did not fail."""
    exits = attempt.exits()
    code, cause = verdict(exits, status, ranks)
    if cause is None and is_failure(code) and exits:
        said = f"nothing was heard of it; srun ended with exit code {shell_code(status)}\n{tail(attempt.log('srun'))}"
        for silent in sorted(set(ranks) - {end.rank for end in exits}):
            attempt.record_exit(silent, code, said)


def tail(log: Path) -> str:
    """The end of a log, for the screen."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log on this node"
    return "\n".join(f"  | {line}" for line in lines[-_LOG_LINES:])
