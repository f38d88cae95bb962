"""An evaluation by itself: the held-out loss and metrics of weights that another run trained."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import DIVERGED, FINISHED, PREEMPTED, Failure
from cfgc_runtime.evaluate import evaluate
from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.data.feed import Feed
    from cfgc_runtime.data.samples import MicroBatch
    from cfgc_runtime.engine import Engine
    from cfgc_runtime.export.source import Source
    from cfgc_runtime.pulse import Pulse
    from cfgc_runtime.reporting import Reporter
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest


@dataclass
class Judging:
    """Everything that an evaluation works with; ``run`` is the evaluation."""

    config: Config
    run_directory: RunDirectory
    ranks: Ranks
    engine: Engine
    feed: Feed
    source: Source
    reporter: Reporter
    stop: StopRequest
    pulse: Pulse

    def run(self) -> int:
        """0 when the results are written, 75 after a stop request: there is nothing to save."""
        started, step = time.monotonic(), self.source.found.step
        self._stopped = False
        found = evaluate(self.engine, self._until_stopped(self.pulse.evaluating(self.feed.evaluation())), self.ranks)
        if self._stopped:
            self.reporter.say("stopped as asked; start again to evaluate")
            return PREEMPTED
        if not math.isfinite(found["loss"]):
            raise Failure(DIVERGED, f"the held-out loss of {self.source.path} is not a number")
        self.reporter.record(step, {f"eval_{name}": value for name, value in found.items()})
        own = "".join(f" · {name} {value:.4g}" for name, value in found.items() if name != "loss")
        self.reporter.say(f"held-out loss of {self.source.path.name}: {found['loss']:.3f}{own}")
        if self.ranks.rank == 0:
            write_json(self.run_directory.results, self._results(found))
            seconds = time.monotonic() - started
            self.run_directory.write_finished(self.config.PLAN_DIGEST, seconds, step=step, tokens=0)
        self.ranks.wait()
        return FINISHED

    def _until_stopped(self, batches: Iterator[MicroBatch]) -> Iterator[MicroBatch]:
        """``batches`` until a rank is asked to stop: all leave together, since a forward pass may need all."""
        for batch in batches:
            [self._stopped] = self.ranks.any_of(self.stop.requested)
            if self._stopped:
                return
            yield batch

    def _results(self, found: dict[str, float]) -> dict[str, Any]:
        numbers = {name: value if math.isfinite(value) else None for name, value in found.items()}
        return {
            "checkpoint": str(self.source.path),
            "step": self.source.found.step,
            "samples": self.feed.held_out,
            **numbers,
        }
