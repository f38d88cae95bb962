"""Kill a run again and again at random moments, and compare what becomes of it with a run that nothing disturbed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.runtime.bundles import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = ("step", "accumulation", "save", "start")
SPAN_S = {"step": 0.05, "accumulation": 0.03, "save": 0.4, "start": 8.0}
"""Within how many seconds of the event the signal comes."""


@dataclass(frozen=True)
class Kill:
    """SIGKILL to ``who`` (a rank, ``all`` of them, or the ``machine``), ``seconds`` after an event of an attempt."""

    who: str
    kind: str
    number: int
    seconds: float

    @property
    def strike(self) -> str:
        """As ``site/sitecustomize.py`` takes it."""
        event = self.kind if self.kind in ("save", "start") else "backward"
        return f"{self.who}:{event}:{self.number}:{self.seconds:.4f}"

    def __str__(self) -> str:
        """For people."""
        who = f"rank {self.who}" if self.who.isdecimal() else self.who
        return f"{who}, {self.seconds * 1000:.0f} ms into {self.kind} {self.number}"


def draw(seed: int, count: int, accumulation: int, every: int, ranks: int = 2) -> list[Kill]:
    """``count`` moments: each kind as often as the others, none later than a save or two into an attempt.

    A step is struck in its last micro step, when the optimizer moves; an accumulation before that.
    """
    chance = random.Random(seed)
    kinds = [EVENTS[number % len(EVENTS)] for number in range(count)]
    chance.shuffle(kinds)
    found = []
    for kind in kinds:
        step = chance.randint(1, every + 2)
        number = {"step": step * accumulation, "accumulation": step * accumulation - 1, "save": 1, "start": 1}[kind]
        who = chance.choice([*map(str, range(ranks)), "all", "machine"])
        found.append(Kill(who, kind, number, chance.uniform(0, SPAN_S[kind])))
    return found


@dataclass(frozen=True)
class Struck:
    """What came of one kill: the exit code of launch.sh, and the step of the newest checkpoint afterwards."""

    kill: Kill
    code: int
    step: int


def endure(run: Run, kills: list[Kill]) -> Iterator[Struck]:
    """Start ``run`` once for each kill, then until it ends; a run that ends early is not started again."""
    for kill in kills:
        outcome = run.to_end(TEST_STRIKE=kill.strike)
        assert outcome.code in (0, 137, -9), (str(kill), outcome, run.logs())
        yield Struck(kill, outcome.code, newest(run))
        if outcome.code == 0:
            return
    last = run.to_end()
    assert last.code == 0, (last, run.logs())


def newest(run: Run) -> int:
    """The step of the newest checkpoint; 0 without one."""
    found = (run.directory / "checkpoints").glob("step-*/complete.json")
    return max((int(file.parent.name.removeprefix("step-")) for file in found), default=0)


def state_of(run: Run) -> dict[str, str]:
    """sha256 of every file of the newest checkpoint: weights, optimizer state, random numbers of each rank."""
    complete = run.directory / "checkpoints" / f"step-{newest(run):08d}" / "complete.json"
    return {name: entry["sha256"] for name, entry in json.loads(complete.read_text())["files"].items()}


def differences(broken: Run, whole: Run) -> list[str]:
    """What is not bit for bit the same: a line of metrics (losses, norms, digests of the samples) or a file."""
    there, here = whole.metrics(), broken.metrics()
    found = [f"metrics: {len(here)} lines instead of {len(there)}"] if len(here) != len(there) else []
    found += [f"metrics: {b} instead of {a}" for a, b in zip(there, here, strict=False) if a != b]
    first, second = state_of(whole), state_of(broken)
    return found + [f"checkpoint: {name}" for name in sorted({*first, *second}) if first.get(name) != second.get(name)]


def samples_of(run: Run) -> list[Any]:
    """Digests of the samples that each rank saw, step by step."""
    return [line["samples"] for line in run.metrics() if "samples" in line]
