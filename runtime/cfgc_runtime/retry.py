"""Whether a run that failed is worth another start: what kind of end it was, and whether the last starts got anywhere.

Attempts lie in the run directory, so that starts by hand count too. Standard library only.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cfgc_runtime.attempt import Attempt, attempts_of
from cfgc_runtime.checkpoints import complete
from cfgc_runtime.errors import HUNG, LOST_PEER, meaning

if TYPE_CHECKING:
    from cfgc_runtime.config import Launch
    from cfgc_runtime.rundir import RunDirectory

_ASKED: Final = {128 + signal.SIGINT, 128 + signal.SIGTERM}
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
    """What to do after an attempt ended with ``code``."""
    attempts, step = attempts_of(run), newest_step(run)
    number, allowed = len(attempts), launch.max_attempts
    if not may_be_retried(code):
        return _stop(f"exit code {code} ({meaning(code)}) comes again with the next start")
    if number >= allowed:
        return _stop(f"this was attempt {number} of {allowed} (launch.max_attempts)")
    stalled = attempts[-_STALLED:]
    if len(stalled) == _STALLED and all(_stood_still(attempt, step) for attempt in stalled):
        names = " and ".join(str(int(attempt.path.name)) for attempt in stalled)
        return _stop(f"attempts {names} both failed before a checkpoint after step {step:,}")
    delay = min(launch.restart_delay_s * 2 ** min(number - 1, 30), max(_LONGEST_S, launch.restart_delay_s))
    place = f"from step {step:,}" if step else "from the beginning, as nothing was saved yet"
    return Decision(True, delay, f"starting again in {delay} s, attempt {number + 1} of {allowed}, {place}")


def _stop(reason: str) -> Decision:
    return Decision(False, 0, f"not started again: {reason}")


def _stood_still(attempt: Attempt, newest: int) -> bool:
    """Whether it failed, and saved nothing. One that was told to stop did not fail."""
    start = attempt.started_from
    failed = attempt.has_failed or not attempt.exits()
    return failed and start is not None and start >= newest
