"""What a run says of itself: metrics.jsonl always, and the line that a person watches. Rank 0 speaks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfgc_runtime.metrics import append_metrics, truncate_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cfgc_runtime.progress import Progress


@dataclass(frozen=True)
class Reporter:
    """``metrics`` is None on the ranks that are silent."""

    metrics: Path | None
    progress: Progress

    def start(self, step: int) -> None:
        """Training goes on after ``step``; what was recorded of later ones is forgotten."""
        if self.metrics is not None:
            truncate_metrics(self.metrics, step)
        self.progress.start(step)

    def record(self, step: int, values: Mapping[str, Any]) -> None:
        """One line of metrics: ``values`` after ``step`` optimizer steps."""
        if self.metrics is not None:
            append_metrics(self.metrics, {"step": step, **values, "time": round(time.time(), 3)})

    def show(self, step: int, values: Mapping[str, Any]) -> None:
        """Record ``values``, and move the progress line."""
        self.record(step, values)
        self.progress.show({"step": step, **values})

    def say(self, line: str) -> None:
        """A line that stays on the screen."""
        self.progress.say(line)
