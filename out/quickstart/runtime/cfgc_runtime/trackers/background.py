"""A tracker behind a thread, so that neither its errors nor its network can end or hold up a run.

Lines wait in a queue. What cannot be sent is tried again, more and more rarely; what is left at the end gets a moment,
and then the run ends without it: metrics.jsonl has every line. Standard library only.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cfgc_runtime.trackers.tracker import Tracker

MOST_WAITING: Final = 100_000
"""Lines that wait for a tracker; the newest are left out beyond that."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class Background:
    """``say`` shows a line; only the thread that calls the methods calls it."""

    def __init__(self, tracker: Tracker, say: Callable[[str], None]) -> None:
        self._tracker, self._say = tracker, say
        self._lines: deque[Mapping[str, Any]] = deque()
        self._problems: deque[str] = deque(maxlen=1)
        self._changed, self._said = threading.Condition(), False
        self._code: int | None = None
        self._left_out = 0
        self._thread: threading.Thread | None = None

    def start(self, step: int) -> None:
        """Report what comes after ``step``."""
        self._thread = threading.Thread(target=self._work, args=(step,), name=self._tracker.title, daemon=True)
        self._thread.start()

    def send(self, line: Mapping[str, Any]) -> None:
        """Report ``line`` soon."""
        with self._changed:
            if len(self._lines) < MOST_WAITING:
                self._lines.append(line)
            else:
                self._left_out += 1
            self._changed.notify()
        self._say_problem()

    def finish(self, code: int) -> None:
        """No more lines come; the attempt ends with exit code ``code``."""
        with self._changed:
            self._code = code
            self._changed.notify()

    def wait(self, patience_s: float) -> None:
        """Until everything was reported, at most ``patience_s``; then say what was not."""
        if self._thread is None:
            return
        self._thread.join(patience_s)
        self._say_problem()
        if missing := len(self._lines) + self._left_out:
            self._say(f"{self._tracker.title} lacks the newest lines ({missing:,}); metrics.jsonl has them all")
        elif self._thread.is_alive():
            self._say(f"{self._tracker.title} has every line, but does not end; the run ends without it")

    def _say_problem(self) -> None:
        if self._problems and not self._said:
            self._said = True
            self._say(f"{self._tracker.title}: {self._problems[0]}; training goes on, and metrics.jsonl has every line")

    def _work(self, step: int) -> None:
        if not self._until_done(lambda: self._tracker.open(step)):
            return
        while (line := self._next()) is not None:
            if not self._until_done(lambda line=line: self._tracker.log(line)):  # type: ignore[misc]
                return
            self._lines.popleft()
        self._try(lambda: self._tracker.close(self._code or 0))

    def _next(self) -> Mapping[str, Any] | None:
        """The oldest line, as soon as there is one; None when there is none and none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._code is not None)
            return self._lines[0] if self._lines else None

    def _until_done(self, work: Callable[[], None]) -> bool:
        """Try until it works; False when the run ended before it did."""
        pause = _FIRST_PAUSE_S
        while not self._try(work):
            if self._closing(pause):
                return False
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        return True

    def _closing(self, pause_s: float) -> bool:
        """Wait ``pause_s``, or less when the run ends; whether it ended before this attempt."""
        ended = self._code is not None
        with self._changed:
            deadline = time.monotonic() + (0.0 if ended else pause_s)
            self._changed.wait_for(lambda: self._code is not None, max(0.0, deadline - time.monotonic()))
        return ended

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception as error:
            self._problems.append(_in_a_line(error))
            return False
        return True


def _in_a_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    text = f"{type(error).__name__}: {lines[0]}".rstrip(": ")
    return text if len(text) <= 200 else text[:199] + "…"
