"""What a person watching sees: one line that moves in a terminal, plain lines in a log. Standard library only."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_BAR = 10
_PARTS = " ▏▎▍▌▋▊▉█"
_PLAIN_LINES = 20


@dataclass
class Progress:
    """Rank 0 shows; the other ranks have no ``screen``."""

    screen: TextIO | None
    name: str
    max_steps: int
    _resumed: int = 0
    _started: float = 0.0
    _open: bool = False
    _shown: float = -1.0

    def start(self, step: int) -> None:
        """Training goes on from ``step`` now: the estimate of the time left counts from here."""
        self._resumed, self._started = step, time.monotonic()

    def say(self, line: str) -> None:
        """A line that stays."""
        self._write(("\n" if self._open else "") + line + "\n")
        self._open = False

    def show(self, metrics: Mapping[str, Any]) -> None:
        """The moving line; where lines cannot move, about ``_PLAIN_LINES`` of them over the run."""
        if self.screen is None:
            return
        line = self._line(metrics)
        if self.screen.isatty():
            self._write("\r" + line[: self._width()] + "\x1b[K")
            self._open = True
        elif self._is_due(metrics["step"] / self.max_steps):
            self.say(line)

    def _write(self, text: str) -> None:
        """A terminal that is gone, or a log on a full disk, is no reason to stop: the metrics file has it all."""
        if self.screen is None:
            return
        try:
            self.screen.write(text)
            self.screen.flush()
        except OSError:
            self.screen = None

    def _width(self) -> int | None:
        """Columns that a line may take without wrapping, which would break the moving line; None when unknown."""
        try:
            columns = os.get_terminal_size(self.screen.fileno()).columns if self.screen else 0
        except OSError:
            return None
        return columns - 1 if columns else None

    def _is_due(self, part: float) -> bool:
        due = part >= 1 or part - self._shown >= 1 / _PLAIN_LINES
        self._shown = part if due else self._shown
        return due

    def _line(self, metrics: Mapping[str, Any]) -> str:
        step = metrics["step"]
        part = step / self.max_steps
        return (
            f"{self.name}  step {step:,}/{self.max_steps:,} ▕{_bar(part)}▏ {part:4.0%}"
            f"  loss {metrics['loss']:.3f}  lr {metrics['lr']:.1e}  |g| {_number(metrics['grad_norm'])}"
            f"  {short(metrics['tokens_per_s'])} tok/s  ETA {duration(self._remaining(step))}"
        )

    def _remaining(self, step: int) -> float:
        done = step - self._resumed
        return (time.monotonic() - self._started) / done * (self.max_steps - step) if done else 0.0


def _bar(part: float) -> str:
    whole, rest = divmod(round(part * _BAR * 8), 8)
    return ("█" * whole + (_PARTS[rest] if rest else "")).ljust(_BAR)


def _number(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.2f}"


def short(value: float) -> str:
    """12345 as 12.3k."""
    for unit in ("", "k", "M", "G", "T"):
        if abs(value) < 999.5 or unit == "T":
            return f"{value:.3g}{unit}"
        value /= 1000
    return ""


def duration(seconds: float) -> str:
    """75 as 1 m 15 s."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes:02d} m"
    return f"{minutes} m {rest:02d} s" if minutes else f"{rest} s"
