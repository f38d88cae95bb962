"""Whether a run is worth another start: what kind of end it was, and whether the last starts got anywhere.

Attempts lie in the run directory, so that starts by hand count too. Standard library only.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cfgc_runtime.attempt import real_attempts, verdict
from cfgc_runtime.checkpoints import complete
from cfgc_runtime.config import trains
from cfgc_runtime.errors import HUNG, LOST_PEER, Failure, meaning
from cfgc_runtime.signals import END_SIGNAL

if TYPE_CHECKING:
    from cfgc_runtime.attempt import Attempt
    from cfgc_runtime.config import Config, Launch
    from cfgc_runtime.rundir import RunDirectory

_ASKED: Final = {128 + number for number in (signal.SIGINT, signal.SIGTERM, END_SIGNAL)}
_STALLED: Final = 2
_LONGEST_S: Final = 600


@dataclass(frozen=True)
class Decision:
    """Whether to start again, after how many seconds, and a line that says so to a person."""

    again: bool
    delay_s: int
    line: str


def may_be_retried(code: int) -> bool:
    """Whether another start may end otherwise: a rank was killed (not asked to stop), lost its peers or hung.

    Everything else is for a person: numbers that diverge, data, disks, usage, or an error in the code.
    """
    return code in (LOST_PEER, HUNG) or (code > 128 and code not in _ASKED)


def newest_step(run: RunDirectory) -> int:
    """The step of the newest checkpoint that is declared whole; 0 when there is none."""
    found = [complete.step_of(file.parent.name) for file in run.checkpoints.glob(f"*/{complete.FILE}")]
    return max((step for step in found if step is not None), default=0)


def decide(run: RunDirectory, code: int, launch: Launch) -> Decision:
    """What launch.sh does after an attempt ended with ``code``."""
    if not may_be_retried(code):
        return _stop(f"exit code {code} ({meaning(code)}) comes again with the next start")
    if reason := _exhausted(run, launch, asked_counts=False):
        return _stop(reason)
    number = len(real_attempts(run))
    delay = min(launch.restart_delay_s * 2 ** min(number - 1, 30), max(_LONGEST_S, launch.restart_delay_s))
    return Decision(True, delay, f"starting again in {delay} s, {_next(run, launch)}, {_place(run)}")


def decide_after_save(run: RunDirectory, config: Config) -> Decision:
    """What job.sbatch does after an attempt that was asked to save, and did."""
    if reason := _exhausted(run, config.LAUNCH, asked_counts=trains(config)):
        return _stop(reason)
    place = f", {_place(run)}" if trains(config) else ""
    saved = "" if trains(config) and not _has_saved(run) else "saved; "
    return Decision(True, 0, f"{saved}queued again, {_next(run, config.LAUNCH)}{place}")


def refuse_start(run: RunDirectory, config: Config) -> None:
    """Raise ``Failure``, with the code of the last attempt, when a start that nobody asked for is one too many.

    Slurm starts a job again that lost a node or was preempted, however often that happens.
    """
    reason = _exhausted(run, config.LAUNCH, asked_counts=trains(config))
    if not reason:
        return
    code, _ = verdict(real_attempts(run)[-1].exits(), LOST_PEER, range(config.TOPOLOGY.world_size))
    raise Failure(code or LOST_PEER, f"not started again: {reason}; submit it by hand to go on all the same")


def _exhausted(run: RunDirectory, launch: Launch, *, asked_counts: bool) -> str:
    """Why there is no further start; empty when there may be one.

    ``asked_counts``: also an attempt that was asked to stop must have come further. One that was taken away says
    nothing about the run.
    """
    attempts, step = real_attempts(run), newest_step(run)
    if len(attempts) >= launch.max_attempts:
        return f"this was attempt {len(attempts)} of {launch.max_attempts} (launch.max_attempts)"
    stalled = [attempt for attempt in attempts if not attempt.taken.exists()][-_STALLED:]
    if len(stalled) < _STALLED or not all(_stood_still(attempt, step, asked_counts) for attempt in stalled):
        return ""
    names = " and ".join(str(int(attempt.path.name)) for attempt in stalled)
    ended = "failed before" if all(map(_has_failed, stalled)) else "ended without"
    return f"attempts {names} both {ended} a checkpoint after step {step:,}"


def _next(run: RunDirectory, launch: Launch) -> str:
    return f"attempt {len(real_attempts(run)) + 1} of {launch.max_attempts}"


def _place(run: RunDirectory) -> str:
    step = newest_step(run)
    return f"from step {step:,}" if step else "from the beginning, as nothing was saved yet"


def _stop(reason: str) -> Decision:
    return Decision(False, 0, f"not started again: {reason}")


def _stood_still(attempt: Attempt, newest: int, asked_counts: bool) -> bool:
    """Whether it saved nothing new. One that was told to stop may do so, unless ``asked_counts``."""
    start = attempt.started_from
    return start is not None and start >= newest and (asked_counts or _has_failed(attempt))


def _has_saved(run: RunDirectory) -> bool:
    """Whether the last attempt left a checkpoint of its own."""
    attempts = real_attempts(run)
    return not attempts or newest_step(run) > (attempts[-1].started_from or 0)


def _has_failed(attempt: Attempt) -> bool:
    return attempt.has_failed or not attempt.exits()
