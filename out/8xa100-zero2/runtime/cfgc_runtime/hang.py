"""Which rank stands still, and which ones only wait for it. Standard library only.

Every rank counts what it does (``pulse``). A rank that came less far than the others is the one they wait for. When
all came equally far, the stacks of their threads say which of them wait in a collective.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cfgc_runtime.pulse import EVALUATING, FIRST_EVALUATION, FIRST_STEP, TRAINING, Beat, read_beat
from cfgc_runtime.signals import send, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cfgc_runtime.attempt import Attempt

DUMP_SIGNAL: Final = signal.SIGQUIT
_DUMP_S: Final = 1.0
_INNERMOST: Final = 6
_COLLECTIVE: Final = "/torch/distributed/"
_STATES: Final = {
    "T": "stopped by a signal (kill -CONT goes on)",
    "t": "stopped by a debugger",
    "D": "waiting for a disk",
    "Z": "dead",
}
_PAUSE_S: Final = 10.0
"""A longer time between two looks means that this process was stopped too, as Slurm does with a whole job."""


@dataclass(frozen=True)
class Hang:
    """``rank`` stands still; ``sentence`` says for how long and where."""

    rank: int
    sentence: str


@dataclass
class _Seen:
    count: int
    since: float


class Watchdog:
    """Looks at the ranks of one node, and compares them with all others. Patience in seconds; 0 is off.

    Only steps and evaluations are watched: reading data, building, saving may take as long as they need.
    """

    def __init__(
        self,
        attempt: Attempt,
        world_size: int,
        patience_s: float,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attempt, self._world = attempt, range(world_size)
        first = patience_s + timeout_s
        self._patience = {TRAINING: patience_s, EVALUATING: patience_s, FIRST_STEP: first, FIRST_EVALUATION: first}
        self._on, self._clock = patience_s > 0, clock
        self._seen: dict[int, _Seen] = {}
        self._stacks: dict[tuple[int, int], str] = {}
        self._looked = clock()

    def look(self, running: Mapping[int, int]) -> Hang | None:
        """The rank that hangs, of those ``running`` on this node (rank to process id); None while all is well."""
        if not self._on:
            return None
        self._forgive_pauses()
        here = self._beats(running)
        stuck = [rank for rank, beat in here.items() if self._overdue(rank, beat) > 0]
        if not stuck:
            return None
        ended = {end.rank for end in self._attempt.exits()}
        beats = self._beats(rank for rank in self._world if rank not in ended) | here
        least = min(beat.count for beat in beats.values())
        behind = [rank for rank, beat in beats.items() if beat.count == least]
        if any(beats[rank].phase not in self._patience for rank in behind):
            return None  # they save, or do something else that takes long, and the stuck ones wait for them
        suspects = [rank for rank in behind if rank in stuck]
        last_chance = max(self._overdue(rank, beats[rank]) for rank in stuck) > self._patience[TRAINING]
        if not suspects and not last_chance:
            return None  # the supervisor of another node sees to it
        return self._name(suspects or stuck, running, beats, last_chance)

    def _beats(self, ranks: Iterable[int]) -> dict[int, Beat]:
        found = {rank: read_beat(self._attempt.beat_of(rank)) for rank in ranks}
        return {rank: beat for rank, beat in found.items() if beat}

    def _forgive_pauses(self) -> None:
        now = self._clock()
        pause, self._looked = now - self._looked, now
        if pause > _PAUSE_S:
            for seen in self._seen.values():
                seen.since += pause

    def _overdue(self, rank: int, beat: Beat) -> float:
        """Seconds beyond its patience since ``rank`` said ``beat``; below 0 when it is well."""
        now = self._clock()
        if beat.phase not in self._patience:
            self._seen.pop(rank, None)
            return -1.0
        seen = self._seen.get(rank)
        if seen is None or seen.count != beat.count:
            self._seen[rank] = _Seen(beat.count, now)
            return -1.0
        return now - seen.since - self._patience[beat.phase]

    def _name(
        self, suspects: list[int], running: Mapping[int, int], beats: Mapping[int, Beat], last_chance: bool
    ) -> Hang | None:
        if any(state_of(running[rank]) == "t" for rank in suspects):
            return None  # somebody looks at it with a debugger
        stacks = {rank: self._stacks_of(rank, beats[rank].count, running[rank]) for rank in suspects}
        culprits = [rank for rank in suspects if not waits_in_a_collective(stacks[rank])]
        if not culprits and not last_chance and len(suspects) < len(beats):
            return None  # they wait for a rank of another node
        rank = (culprits or suspects)[0]
        since = self._clock() - self._seen[rank].since
        where = innermost(stacks[rank]) or process_state(running[rank]) or "it shows no stack"
        sentence = f"rank {rank} stands still since {since:.0f} s in {beats[rank].place}: {where}"
        if len(culprits) > 1:
            sentence += f"; so do ranks {', '.join(map(str, culprits[1:]))}"
        elif not culprits:
            sentence += "; every rank waits in a collective, so they may not all be in the same one"
        return Hang(rank, sentence)

    def _stacks_of(self, rank: int, count: int, pid: int) -> str:
        """What ``rank`` wrote of its stacks, once in a place; empty when it cannot any more."""
        if (rank, count) not in self._stacks:
            self._stacks[rank, count] = dump_stacks(self._attempt.log(f"rank-{rank}"), pid)
        return self._stacks[rank, count]


def dump_stacks(log: Path, pid: int) -> str:
    """Have the process ``pid`` write the stacks of its threads to its ``log``, and read them there."""
    try:
        before = log.stat().st_size if log.exists() else 0
        send(pid, DUMP_SIGNAL)
        written, deadline = "", time.monotonic() + _DUMP_S
        while time.monotonic() < deadline:
            time.sleep(_DUMP_S / 10)
            with log.open(encoding="utf-8", errors="replace") as file:
                file.seek(before)
                found = file.read()
            if found and found == written:
                break
            written = found
    except OSError:
        return ""
    return written


def threads_of(stacks: str) -> list[list[str]]:
    """Frames of each thread in a dump of ``faulthandler``, the innermost first."""
    threads: list[list[str]] = []
    for line in stacks.splitlines():
        if line.startswith(("Thread 0x", "Current thread 0x")):
            threads.append([])
        elif line.startswith("  File ") and threads:
            threads[-1].append(line.strip())
    return threads


def waits_in_a_collective(stacks: str) -> bool:
    """Whether a thread is inside torch.distributed, near its innermost frame."""
    return any(_COLLECTIVE in frame for frames in threads_of(stacks) for frame in frames[:_INNERMOST])


def innermost(stacks: str) -> str:
    """The innermost frame of the main thread, which ``faulthandler`` writes last."""
    threads = [frames for frames in threads_of(stacks) if frames]
    return threads[-1][0] if threads else ""


def process_state(pid: int) -> str:
    """What the system says of a process that does not answer."""
    letter = state_of(pid)
    return f"its process is {_STATES[letter]}" if letter in _STATES else ""
