"""What a run says of itself: metrics.jsonl always, the trackers, and the line that a person watches. Rank 0 speaks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, TypeAlias

from cfgc_runtime.errors import INTERNAL, Failure, is_failure
from cfgc_runtime.metrics import append_metrics, truncate_metrics
from cfgc_runtime.progress import Progress
from cfgc_runtime.trackers.opening import open_trackers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from cfgc_runtime.config import Config, Tracking
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.trackers.background import Background
    from cfgc_runtime.world import World

Level: TypeAlias = Literal["debug", "info", "warning", "error"]

LEVELS: Final[tuple[Level, ...]] = ("debug", "info", "warning", "error")
"""From the least to the most important."""

_PATIENCE_S, _PATIENCE_AFTER_FAILURE_S = 20.0, 5.0


@dataclass(frozen=True)
class Reporter:
    """``metrics`` is None on the ranks that are silent; lines below the plan's log level are not shown."""

    metrics: Path | None
    progress: Progress
    tracking: Tracking
    trackers: Sequence[Background] = ()

    def start(self, step: int) -> None:
        """Training goes on after ``step``; what was recorded of later ones is forgotten."""
        if self.metrics is not None:
            truncate_metrics(self.metrics, step)
        for tracker in self.trackers:
            tracker.start(step)
        self.progress.start()

    def record(self, step: int, values: Mapping[str, Any]) -> None:
        """One line of metrics: ``values`` after ``step`` optimizer steps."""
        if self.metrics is None:
            return
        line = {"step": step, **values, "time": round(time.time(), 3)}
        append_metrics(self.metrics, line)
        for tracker in self.trackers:
            tracker.send(line)

    def show(self, step: int, values: Mapping[str, Any]) -> None:
        """Record ``values`` of a training step, and move the progress line."""
        measured = {**values, **self._utilization(values)}
        self.record(step, measured)
        if self.shows("info"):
            self.progress.show({"step": step, **measured})

    def say(self, line: str, level: Level = "info") -> None:
        """A line that stays on the screen."""
        if self.shows(level):
            self.progress.say(line)

    def shows(self, level: Level) -> bool:
        """Whether lines of ``level`` are shown."""
        return LEVELS.index(level) >= LEVELS.index(self.tracking.log_level)

    def follow(self, training: Callable[[], int], step: int) -> int:
        """The exit code of ``training``, which goes on after ``step``; what it raises is passed on."""
        self.start(step)
        code = INTERNAL
        try:
            code = training()
        except Failure as failure:
            code = failure.code
            raise
        finally:
            self.close(code)
        return code

    def close(self, code: int) -> None:
        """The attempt ends with exit code ``code``; trackers get a moment to send what they still hold."""
        self.progress.close()
        for tracker in self.trackers:
            tracker.finish(code)
        deadline = time.monotonic() + (_PATIENCE_AFTER_FAILURE_S if is_failure(code) else _PATIENCE_S)
        for tracker in self.trackers:
            tracker.wait(max(0.0, deadline - time.monotonic()))

    def _utilization(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Model FLOP/s as a share of the devices' peak; nothing when the plan knows no peak."""
        said = self.tracking
        if not said.peak_flops or not said.flops_per_token or "tokens_per_s" not in values:
            return {}
        return {"mfu": round(said.flops_per_token * values["tokens_per_s"] / said.peak_flops, 4)}


def open_reporter(config: Config, run: RunDirectory, world: World, screen: TextIO) -> Reporter:
    """Rank 0 speaks on ``screen``, to the metrics file and to the plan's trackers; the other ranks are silent."""
    first = world.rank == 0
    progress = Progress(screen if first else None, config.EXPERIMENT.name, config.SCHEDULE.max_steps)
    reporter = Reporter(run.metrics if first else None, progress, config.TRACKING)
    if not first:
        return reporter
    return replace(reporter, trackers=open_trackers(config, run, partial(reporter.say, level="warning")))
