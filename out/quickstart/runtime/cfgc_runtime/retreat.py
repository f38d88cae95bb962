"""A run that is asked to stop before its first step: its ranks are ended, which costs nothing. Standard library only.

Left alone they would get to their first step before they could agree to stop: minutes, of which a preemption leaves
seconds. And a start of which a part was ended already would never get there.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from cfgc_runtime.pulse import ALONE, CONNECTING, PREPARING, read_beat

if TYPE_CHECKING:
    from collections.abc import Callable

    from cfgc_runtime.attempt import Attempt

ENDED_EARLY: Final = "it was ended before its first step, as asked"
_NOTICE_S: Final = 2.0
"""What ranks get to end by themselves: some have data to put away."""
_BEFORE: Final = (*ALONE, CONNECTING, PREPARING)


class Retreat:
    """Says when the ranks of an ``attempt`` that was asked to stop are to be ended."""

    def __init__(self, attempt: Attempt, world_size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._attempt, self._world, self._clock = attempt, range(world_size), clock
        self._asked: float | None = None
        self._begun = False

    def is_due(self, *, asked: bool) -> bool:
        """Whether no step can have been made, and notice was given; ``asked``: to stop, this node or another."""
        if not asked or self._begun or self._has_begun():
            return False
        if self._asked is None:
            self._asked = self._clock()
        return self._clock() - self._asked > _NOTICE_S

    def _has_begun(self) -> bool:
        """Whether every rank has got to its first step, without which none can have made it."""
        beats = (read_beat(self._attempt.beat_of(rank)) for rank in self._world)
        self._begun = all(beat is not None and beat.phase not in _BEFORE for beat in beats)
        return self._begun
