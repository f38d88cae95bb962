"""The first thing that all ranks do together: who came late, and whose clock is wrong."""

from __future__ import annotations

import socket
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfgc_runtime.collective import Ranks

SKEW_S: Final = 5.0
LATE_S: Final = 30.0


@dataclass(frozen=True)
class Arrival:
    """One rank: its host, its clock (seconds since the epoch) when all had come, how long it waited for them.

    ``warnings`` are about its device.
    """

    host: str
    clock: float
    waited_s: float
    warnings: tuple[str, ...] = ()


def meet(ranks: Ranks, arrived: float, warnings: Sequence[str]) -> list[str]:
    """Wait for every rank; warnings about devices, about late ranks and about clocks, the same on every rank.

    ``arrived`` is this rank's monotonic clock before it connected, which is where the early ones wait; ``warnings``
    are about its own device.
    """
    ranks.wait()
    now = Arrival(socket.gethostname(), time.time(), time.monotonic() - arrived, tuple(warnings))
    found = ranks.gather(now)
    return [*_of_devices(found), *_late(found), *_skewed(found)]


def _of_devices(found: Sequence[Arrival]) -> Iterator[str]:
    """Each once, with the first rank that has it."""
    told: set[tuple[str, str]] = set()
    for rank, one in enumerate(found):
        for line in one.warnings:
            if (one.host, line) not in told:
                told.add((one.host, line))
                yield f"rank {rank} on {one.host}: {line}"


def _late(found: Sequence[Arrival]) -> Iterator[str]:
    """Whoever waited least came last."""
    usual = statistics.median(one.waited_s for one in found)
    for rank, one in enumerate(found):
        if usual - one.waited_s > LATE_S:
            yield (
                f"rank {rank} on {one.host} came {usual - one.waited_s:.0f} s after most others: its start, its disk "
                "or its device is slow"
            )


def _skewed(found: Sequence[Arrival]) -> Iterator[str]:
    usual = statistics.median(one.clock for one in found)
    told: set[str] = set()
    for one in found:
        if abs(one.clock - usual) > SKEW_S and one.host not in told:
            told.add(one.host)
            side = "ahead of" if one.clock > usual else "behind"
            yield (
                f"the clock of {one.host} is {abs(one.clock - usual):.0f} s {side} the others: times in metrics and "
                "logs do not compare; set it with NTP or chrony"
            )
