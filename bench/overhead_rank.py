"""One rank of bench/overhead.py: the runtime's own ``train``, and another loop that takes turns with it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import deepspeed
import torch

# What torch and DeepSpeed import themselves, at their first use.
import torch._dynamo
import torch._inductor.config
from torch.nn import functional as F  # noqa: N812 - the usual name

torch.optim.SGD([torch.zeros(1)])
with suppress(ImportError):  # since DeepSpeed 0.17
    import deepspeed.runtime.zero.muon.muon_optimizer

IMPORTED = (time.monotonic(), time.process_time())
RUN_DIR, STEPS = Path(sys.argv[1]), int(sys.argv[2])
BUNDLE = RUN_DIR / "bundle"
sys.path.insert(0, str(BUNDLE / "runtime"))

from cfgc_runtime import train as training
from cfgc_runtime.attempt import newest_attempt
from cfgc_runtime.config import load_config
from cfgc_runtime.models.decoder import build_model
from cfgc_runtime.optimizers.groups import parameter_groups
from cfgc_runtime.pulse import Pulse
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.signals import StopRequest
from cfgc_runtime.world import World

WARM_UP = 2
"""Turns of each loop that are not counted."""


def now() -> float:
    """After everything that was asked of the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic()


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


class HandWritten:
    """What somebody writes who has read DeepSpeed's first page."""

    def __init__(self, config: Any, rank: int) -> None:
        model = build_model(config.MODEL, config.EXPERIMENT.seed)
        settings = json.loads((BUNDLE / "ds_config.json").read_text())
        groups: Any = parameter_groups(model, config.OPTIMIZER)
        self.engine: Any = deepspeed.initialize(model=model, model_parameters=groups, config=settings)[0]
        self.accumulation = config.BATCH.gradient_accumulation_steps
        size, length = config.BATCH.micro_batch_size, config.DATA.sequence_length
        generator = torch.Generator().manual_seed(rank)
        rows = torch.randint(0, 257, (4096, length + 1), generator=generator)
        self.batches = iter(torch.utils.data.DataLoader(Endless(rows), batch_size=size))

    def turn(self) -> float:
        """Train ``STEPS`` steps; their seconds."""
        engine, started = self.engine, now()
        for _ in range(STEPS * self.accumulation):
            rows = next(self.batches).to(engine.device)
            logits = engine(rows[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten())
            engine.backward(loss)
            with torch.no_grad():
                engine.step()
        return now() - started


class Endless(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    """The rows, again and again."""

    def __init__(self, rows: torch.Tensor) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[torch.Tensor]:
        while True:
            yield from self.rows


class TakingTurns:
    """The runtime's feed, which lets the other loop train before every ``STEPS`` steps of this one."""

    def __init__(self, feed: Any, config: Any, rank: int) -> None:
        self._feed, self._config, self._rank = feed, config, rank
        self.ours: list[float] = []
        self.theirs: list[float] = []
        self.ready = (0.0, 0.0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    def train(self, steps: range) -> Iterator[Any]:
        """Batches of the runtime's loop; the time between a turn's first request and the next turn's is its own."""
        self.ready = (time.monotonic(), time.process_time())
        batches, accumulation = self._feed.train(steps), self._config.BATCH.gradient_accumulation_steps
        other = HandWritten(self._config, self._rank)
        for _ in range(len(steps) // STEPS):
            self.theirs.append(other.turn())
            torch.distributed.barrier()
            started = now()
            for _ in range(STEPS * accumulation):
                yield next(batches)
            self.ours.append(now() - started)
            torch.distributed.barrier()


def main() -> None:
    """Train as a rank does, and write down what was measured."""
    run, world = RunDirectory(RUN_DIR), World.from_environment()
    config = load_config(BUNDLE / "config.py")
    made: list[TakingTurns] = []
    load_feed = training.load_feed

    def taking_turns(*arguments: Any) -> TakingTurns:
        made.append(TakingTurns(load_feed(*arguments), config, world.rank))
        return made[0]

    training.load_feed = taking_turns  # type: ignore[assignment]
    phases = Phases(newest_attempt(run).beat_of(world.rank))
    with Path("screen" if world.rank == 0 else "/dev/null").open("w") as screen:
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
    tracking = config.TRACKING
    found = {
        "tokens": config.BATCH.tokens_per_step,
        "ours": feed.ours[WARM_UP:],
        "theirs": feed.theirs[WARM_UP : len(feed.ours)],
        "startup": _between(IMPORTED, feed.ready),
        "phases": {name: _between(at, end) for (name, at), end in zip(marks, ends, strict=True)},
        "about": f"{config.MODEL.parameters:,} parameters, ZeRO-{config.ZERO_STAGE}, {config.PRECISION}",
        "flops_per_token": getattr(tracking, "flops_per_token", 0),
        "peak_flops": getattr(tracking, "peak_flops", 0),
    }
    Path("measured.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
