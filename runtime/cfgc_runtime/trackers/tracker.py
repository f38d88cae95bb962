"""What a tracker is. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Subject:
    """The run that is reported: ``id`` is its own for all attempts, ``spec`` what it was compiled from, by dotted key.

    ``directory`` is where files of trackers go.
    """

    id: str
    name: str
    directory: Path
    spec: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    description: str = ""


class Tracker(Protocol):
    """One way to report. Whatever it raises is said once, and the run goes on."""

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    def open(self, step: int) -> None:
        """Report what comes after ``step``: of a new run when 0 and nothing was reported, else of the same one."""
        ...

    def log(self, line: Mapping[str, Any]) -> None:
        """One line of metrics.jsonl. Tried again when it raises, so it reports all of ``line`` or nothing."""
        ...

    def close(self, code: int) -> None:
        """The attempt ended with exit code ``code``."""
        ...


def numbers_of(line: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of ``line``: its numbers but for the step and the clock."""
    return {
        key: value
        for key, value in line.items()
        if key not in {"step", "time"} and isinstance(value, (int, float)) and not isinstance(value, bool)
    }
