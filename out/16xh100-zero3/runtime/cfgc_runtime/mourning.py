"""Ranks that end without a word, and those that are left when one has failed. Standard library only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from cfgc_runtime.attempt import shell_code
from cfgc_runtime.errors import PREEMPTED, is_failure
from cfgc_runtime.signals import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cfgc_runtime.attempt import Attempt, Exit

_SILENCE_S: Final = 1.0
"""The parent of a rank records its end a moment after it; unless the parent was killed too."""
_FAREWELL_S: Final = 5.0
"""What ranks get to write their last lines in, once another one has failed: without it they cannot save."""
KILLED: Final = shell_code(-9)
ENDED_FOR_ANOTHER: Final = "it was ended, since another rank had failed"
_WORDLESS: Final = "is gone without a word"


def is_wordless(end: Exit) -> bool:
    """Whether others had to record this ``end``."""
    return end.code == KILLED and _WORDLESS in end.message


class Mourner:
    """Watches the ranks of one node, of which the ``attempt`` knows the process ids."""

    def __init__(self, attempt: Attempt, clock: Callable[[], float] = time.monotonic) -> None:
        self._attempt, self._clock = attempt, clock
        self._gone: dict[int, float] = {}
        self._well: set[int] = set()
        self.has_stopped = False
        """Whether a rank, on whatever node, ended because it was asked to."""
        self._failed: float | None = None

    def look(self, running: Mapping[int, int]) -> None:
        """Record the end of each of the ``running`` ranks (rank to process id) that is gone and said nothing."""
        now = self._clock()
        self._gone = {rank: self._gone.get(rank, now) for rank, pid in running.items() if not is_alive(pid)}
        self.record({rank: running[rank] for rank, since in self._gone.items() if now - since > _SILENCE_S})
        if self._failed is None:
            ends = self._attempt.exits(besides=self._well)  # hundreds of ranks may end while others look
            self._failed = now if any(is_failure(end.code) for end in ends) else None
            self._well |= {end.rank for end in ends}
            self.has_stopped |= any(end.code == PREEMPTED for end in ends)

    def record(self, running: Mapping[int, int]) -> None:
        """Those of the ``running`` ranks that are gone were killed together with the process that watched them."""
        for rank, pid in running.items():
            if not is_alive(pid):
                sentence = f"rank {rank} {_WORDLESS}: it was killed, with the process that watched it"
                self._attempt.record_exit(rank, KILLED, sentence)

    def is_over(self) -> bool:
        """Whether a rank has failed long enough ago for the others to be ended."""
        return self._failed is not None and self._clock() - self._failed > _FAREWELL_S
