"""Which ranks the others wait for, before they have met. Standard library only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from cfgc_runtime.pulse import ALONE, CONNECTING, read_beat

if TYPE_CHECKING:
    from collections.abc import Callable

    from cfgc_runtime.attempt import Attempt

PATIENCE_S: Final = 60.0
_NAMED: Final = 8


class Presence:
    """Says after a minute, then after two, four and so on, which ranks have not come."""

    def __init__(self, attempt: Attempt, world_size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._attempt, self._world, self._clock = attempt, range(world_size), clock
        self._started, self._next, self._met = clock(), PATIENCE_S, False

    def look(self) -> str:
        """A line for the screen when it is time for one; else empty."""
        waited = self._clock() - self._started
        if self._met or waited < self._next:
            return ""
        self._next *= 2
        beats = {rank: read_beat(self._attempt.beat_of(rank)) for rank in self._world}
        late = [
            f"rank {rank} {f'is {beat.phase}' if beat else 'has not started'}"
            for rank, beat in beats.items()
            if beat is None or beat.phase in ALONE
        ]
        connecting = [rank for rank, beat in beats.items() if beat and beat.phase == CONNECTING]
        self._met = not late and not connecting
        if not connecting:
            return ""
        if not late:
            return (
                f"all ranks have come, and cannot reach each other after {waited:.0f} s: look at firewalls and at the "
                "network interface (GLOO_SOCKET_IFNAME, NCCL_SOCKET_IFNAME; NCCL_DEBUG=INFO says more)"
            )
        rest = f" and {len(late) - _NAMED} more" if len(late) > _NAMED else ""
        waiting = "1 rank waits" if len(connecting) == 1 else f"{len(connecting)} ranks wait"
        return f"{waiting} since {waited:.0f} s: {', '.join(late[:_NAMED])}{rest}"
