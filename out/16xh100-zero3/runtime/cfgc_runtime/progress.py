"""What a person watching sees: one line that moves in a terminal, plain lines in a log. Standard library only."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_BAR = 10
_PARTS = " ▏▎▍▌▋▊▉█"
_ASCII = str.maketrans(
    {"▕": "[", "▏": "]", "█": "#", "·": "-", "–": "-", "→": ">", "…": "~", "─": "-", "└": "+", "┤": "|", "\u2800": " "}
    | dict.fromkeys("▎▍▌▋▊▉", " ")
    | dict.fromkeys(range(0x2801, 0x2900), "*")
)
"""What stands for bars, marks and curves in plain letters."""

_REDRAW_S = 0.1
_FIRST_GAP_S, _LAST_GAP_S, _GAP = 10.0, 600.0, 0.01
_DROPPED_FIRST = ("bar", "mfu", "unlabelled", "norm", "lr", "name", "speed", "part", "left")


@dataclass
class Progress:
    """Rank 0 shows; the other ranks have no ``screen``. ``clock`` counts seconds."""

    screen: TextIO | None
    name: str
    max_steps: int
    clock: Callable[[], float] = time.monotonic
    _first: tuple[int, float] | None = None
    _started: float = 0.0
    _open: bool = False
    _shown: float = -math.inf

    def start(self) -> None:
        """Training goes on now; the estimate of the time left counts from the first line after it."""
        self._first, self._started, self._shown = None, self.clock(), -math.inf

    def say(self, line: str) -> None:
        """A line that stays; it takes the place of the moving one."""
        self._write(("\r\x1b[K" if self._open else "") + line + "\n")
        self._open = False

    def show(self, metrics: Mapping[str, Any]) -> None:
        """The moving line; where lines cannot move, one now and then: the first, the last, and between them by time."""
        if self.screen is None:
            return
        now, step = self.clock(), int(metrics["step"])
        self._first = self._first or (step, now)
        moving = self._moves()
        if step < self.max_steps and now - self._shown < (_REDRAW_S if moving else self._gap(now)):
            return
        self._shown = now
        fields = self._fields(metrics, self._remaining(step, now))
        if moving:
            self._write("\r" + fitted(fields, self._width()) + "\x1b[K")
            self._open = True
        else:
            self.say("  ".join(fields.values()))

    def close(self) -> None:
        """Leave the moving line where it is; whatever comes next starts below it."""
        if self._open:
            self._write("\n")
        self._open = False

    def _moves(self) -> bool:
        return self.screen is not None and self.screen.isatty() and os.environ.get("TERM", "") != "dumb"

    def _gap(self, now: float) -> float:
        """Seconds between plain lines: they become rarer, so that the log of weeks can still be read."""
        return min(max(_FIRST_GAP_S, _GAP * (now - self._started)), _LAST_GAP_S)

    def _write(self, text: str) -> None:
        """A terminal that is gone, or a log on a full disk, is no reason to stop: the metrics file has it all."""
        if self.screen is None:
            return
        try:
            self.screen.write(sayable(text, self.screen.encoding))
            self.screen.flush()
        except (OSError, ValueError):
            self.screen = None

    def _width(self) -> int | None:
        """Columns that a line may take without wrapping, which would break the moving line; None when unknown."""
        try:
            columns = os.get_terminal_size(self.screen.fileno()).columns if self.screen else 0
        except OSError:
            return None
        return columns - 1 if columns else None

    def _fields(self, metrics: Mapping[str, Any], left: float | None) -> dict[str, str]:
        part = metrics["step"] / self.max_steps
        mfu = metrics.get("mfu")
        fields = {
            "name": self.name,
            "step": f"step {metrics['step']:,}/{self.max_steps:,}",
            "bar": f"▕{_bar(part)}▏",
            "part": f"{math.floor(part * 100):3d} %",
            "loss": f"loss {_number(metrics.get('loss'), 3)}",
            "unlabelled": f"({metrics['unlabelled']:,} unlabelled)" if "unlabelled" in metrics else "",
            "lr": f"lr {metrics['lr']:.1e}",
            "norm": f"|g| {_number(metrics.get('grad_norm'), 2)}",
            "speed": _speed(metrics),
            "mfu": f"MFU {mfu * 100:.0f} %" if mfu is not None else "",
            "left": f"ETA {'–' if left is None else duration(left)}",
        }
        return {name: text for name, text in fields.items() if text}

    def _remaining(self, step: int, now: float) -> float | None:
        """Seconds to the last step, at the pace since the first line: the first step also compiles and warms up."""
        if step >= self.max_steps:
            return 0.0
        if self._first is None or step <= self._first[0]:
            return None
        return (now - self._first[1]) / (step - self._first[0]) * (self.max_steps - step)


def fitted(fields: Mapping[str, str], width: int | None) -> str:
    """``fields`` as one line of at most ``width`` columns; what says least goes first."""
    kept = dict(fields)
    for name in _DROPPED_FIRST:
        line = "  ".join(kept.values())
        if width is None or len(line) <= width:
            return line
        kept.pop(name, None)
    return "  ".join(kept.values())[:width]


def sayable(text: str, encoding: str | None) -> str:
    """``text`` with plain characters for those that a terminal of ``encoding`` may lack."""
    if encoding is None or encoding.lower().replace("-", "").replace("_", "").startswith("utf"):
        return text
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def _speed(metrics: Mapping[str, Any]) -> str:
    """Tokens a second; samples a second where the user's own code makes them."""
    if "tokens_per_s" in metrics:
        return f"{short(metrics['tokens_per_s'])} tok/s"
    return f"{short(metrics['samples_per_s'])} samples/s"


def _bar(part: float) -> str:
    whole, rest = divmod(round(min(part, 1.0) * _BAR * 8), 8)
    return ("█" * whole + (_PARTS[rest] if rest else "")).ljust(_BAR)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


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
    days, hours, minutes, rest = whole // 86_400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    if days >= 2:
        return f"{days} d {hours:02d} h"
    if whole >= 3600:
        return f"{whole // 3600} h {minutes:02d} m"
    return f"{minutes} m {rest:02d} s" if minutes else f"{rest} s"
