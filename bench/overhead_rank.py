"""One rank of bench/overhead.py: the runtime's own ``train``, and other loops that take turns with it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import deepspeed
import torch

# What torch and DeepSpeed import themselves, at their first use.
import torch._dynamo
import torch._inductor.config

torch.optim.SGD([torch.zeros(1)])
with suppress(ImportError):  # since DeepSpeed 0.17
    import deepspeed.runtime.zero.muon.muon_optimizer  # noqa: F401

IMPORTED = (time.monotonic(), time.process_time())
RUN_DIR, STEPS, PLAIN_TORCH = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "plain-torch"
BUNDLE = RUN_DIR / "bundle"
sys.path.insert(0, str(BUNDLE / "runtime"))

from overhead_peers import HandWritten, Peer, PlainTorch, batches_of

from cfgc_runtime import train as training
from cfgc_runtime.attempt import newest_attempt
from cfgc_runtime.config import load_config
from cfgc_runtime.data.feed import load_feed
from cfgc_runtime.pulse import Pulse
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.signals import StopRequest
from cfgc_runtime.world import World

WARM_UP = 2
"""Turns of each loop that are not counted."""


Spent = tuple[float, float]
"""Seconds by the clock, and seconds of this process's own work, which a busy machine leaves as it is."""


def now() -> Spent:
    """After everything that was asked of the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic(), time.process_time()


def since(started: Spent) -> Spent:
    """From ``started`` until now."""
    clock, work = now()
    return clock - started[0], work - started[1]


class Phases(Pulse):
    """The runtime's own marks of what it does, with the time of each."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.marks: list[tuple[str, tuple[float, float]]] = [("importing the runtime", IMPORTED)]

    def enter(self, phase: str, step: int = 0, micro: int = 0) -> None:
        """Each phase once, at its begin."""
        super().enter(phase, step, micro)
        if phase not in dict(self.marks):
            self.marks.append((phase, (time.monotonic(), time.process_time())))


class TakingTurns:
    """The runtime's feed, which lets the other loops train before every ``STEPS`` steps of this one, on its rows."""

    def __init__(self, feed: Any, config: Any) -> None:
        self._feed, self._config = feed, config
        self.ours: list[Spent] = []
        self.theirs: dict[str, list[Spent]] = {}
        self.ready = (0.0, 0.0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    def train(self, steps: range) -> Iterator[Any]:
        """Batches of the runtime's loop; the time between a turn's first request and the next turn's is its own."""
        self.ready = (time.monotonic(), time.process_time())
        batches, accumulation = self._feed.train(steps), self._config.BATCH.gradient_accumulation_steps
        peers: dict[str, Peer] = {"hand-written DeepSpeed": HandWritten(self._config, BUNDLE)}
        if PLAIN_TORCH:
            peers["hand-written plain torch"] = PlainTorch(self._config, BUNDLE)
        for turn in range(len(steps) // STEPS):
            rows = list(self._feed.train(range(turn * STEPS, (turn + 1) * STEPS)))
            for name, peer in peers.items():
                self.theirs.setdefault(name, []).append(self._spent(peer, rows))
            started = now()
            for _ in range(STEPS * accumulation):
                yield next(batches)
            self.ours.append(since(started))
            torch.distributed.barrier()

    def _spent(self, peer: Peer, rows: list[Any]) -> Spent:
        batches = batches_of(rows, self._config.BATCH.micro_batch_size)
        started = now()
        peer.train(batches)
        spent = since(started)
        torch.distributed.barrier()
        return spent


def main() -> None:
    """Train as a rank does, and write down what was measured."""
    run, world = RunDirectory(RUN_DIR), World.from_environment()
    config = load_config(BUNDLE / "config.py")
    made: list[TakingTurns] = []

    def taking_turns(*arguments: Any) -> TakingTurns:
        made.append(TakingTurns(load_feed(*arguments), config))
        return made[0]

    phases = Phases(newest_attempt(run).beat_of(world.rank))
    turns = mock.patch.object(training, "load_feed", taking_turns)
    with turns, Path("screen" if world.rank == 0 else "/dev/null").open("w") as screen:
        code = training.train(BUNDLE, run, world, StopRequest(), screen, phases)
    assert code == 0, code
    if world.rank == 0:
        report(config, made[0], phases)


def _between(start: tuple[float, float], end: tuple[float, float]) -> list[float]:
    """Seconds by the clock, and seconds of this process's own work."""
    return [end[0] - start[0], end[1] - start[1]]


def report(config: Any, feed: TakingTurns, phases: Phases) -> None:
    """For bench/overhead.py."""
    marks = [mark for mark in phases.marks if mark[1] <= feed.ready]
    ends = [*(at for _, at in marks[1:]), feed.ready]
    found = {
        "tokens": config.BATCH.tokens_per_step,
        "ours": feed.ours[WARM_UP:],
        "theirs": {name: seconds[WARM_UP : len(feed.ours)] for name, seconds in feed.theirs.items()},
        "startup": _between(IMPORTED, feed.ready),
        "phases": {name: _between(at, end) for (name, at), end in zip(marks, ends, strict=True)},
        "about": f"{config.MODEL.parameters:,} parameters, ZeRO-{config.ZERO_STAGE}, {config.PRECISION}",
        "flops_per_token": config.TRACKING.flops_per_token,
        "peak_flops": config.TRACKING.peak_flops,
    }
    Path("measured.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
