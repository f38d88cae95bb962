"""What a tracker is. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cfgc_runtime.metrics import is_number, read_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Subject:
    """The run that is reported: ``id`` is its own for all attempts, ``spec`` what it was compiled from, by dotted key.

    ``directory`` is where files of trackers go, ``metrics`` is metrics.jsonl.
    """

    id: str
    name: str
    directory: Path
    metrics: Path
    spec: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    description: str = ""

    def lines_until(self, step: int) -> list[dict[str, Any]]:
        """What the run recorded up to ``step``: a killed attempt may have recorded more than it reported."""
        return [line for line in read_metrics(self.metrics) if line["step"] <= step]


class Tracker(Protocol):
    """One way to report. Whatever it raises is said once, and the run goes on."""

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    def open(self, step: int) -> None:
        """Start, or continue the same run, with all that was recorded up to ``step``."""
        ...

    def log(self, line: Mapping[str, Any]) -> None:
        """One line of metrics.jsonl. Tried again when it raises, so it reports all of ``line`` or nothing."""
        ...

    def close(self, code: int) -> None:
        """The attempt ended with exit code ``code``."""
        ...


def numbers_of(line: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of ``line``: its finite numbers, but for the step and the clock."""
    return {key: value for key, value in line.items() if key not in {"step", "time"} and is_number(value)}
