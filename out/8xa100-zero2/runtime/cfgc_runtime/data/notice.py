"""Rank 0 prepares, and the others wait for what it says. Through a file, since no collective waits that long.

Before the ranks are connected, a file in the run directory is what they share. Rank 0 rewrites it while it lives; a
rank that sees no change for too long takes it for lost. Standard library only.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import LOST_PEER, PREEMPTED, Failure
from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_BEAT_S = 1.0
_FIRST_POLL_S, _LAST_POLL_S = 0.02, 0.5


@dataclass
class Notice:
    """The file ``path``, for one attempt. ``patience_s`` is how long rank 0 may be silent."""

    path: Path
    patience_s: float
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _beats: int = field(default=0, init=False)

    def beat(self) -> None:
        """Rank 0 is alive."""
        self._beats += 1
        self._say("working", {"beat": self._beats})

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Say so every second, whatever rank 0 does meanwhile: a single file may take long to read."""
        done = threading.Event()

        def beat_on() -> None:
            with suppress(OSError):  # a full disk is rank 0's to tell
                self.beat()
                while not done.wait(_BEAT_S):
                    self.beat()

        beats = threading.Thread(target=beat_on, daemon=True)
        beats.start()
        try:
            yield
        finally:
            done.set()
            beats.join()

    def is_stop_asked(self) -> bool:
        """Whether another rank was asked to stop."""
        return self._stop.exists()

    def publish(self, content: Mapping[str, Any]) -> None:
        """Rank 0 is done."""
        self._say("ready", content)

    def give_up(self, error: BaseException) -> None:
        """Rank 0 has failed, or was stopped. A disk on which that cannot be said is full: the others give up later."""
        is_stop = isinstance(error, Failure) and error.code == PREEMPTED
        with suppress(OSError):
            self._say("stopped" if is_stop else "failed", {"message": str(error)})

    def wait(self, stop: Callable[[], bool]) -> Mapping[str, Any]:
        """What rank 0 published. A rank that is asked to stop tells rank 0, and leaves when that does.

        Raises ``Failure``: stopped, or rank 0 failed, or has been silent for too long.
        """
        last, since, poll = None, self.clock(), _FIRST_POLL_S
        while True:
            if stop() and not self._stop.exists():
                self._stop.touch()
            state, content = self._read()
            if state == "ready":
                return content
            if state == "stopped":
                raise Failure(PREEMPTED, str(content["message"]))
            if state == "failed":
                raise Failure(LOST_PEER, "rank 0 could not prepare the data, and says why")
            if (state, content) != last:
                last, since = (state, content), self.clock()
            elif self.clock() - since > self.patience_s:
                raise Failure(LOST_PEER, f"rank 0 prepares the data, and has been silent for {self.patience_s:.0f} s")
            self.pause(poll)
            poll = min(2 * poll, _LAST_POLL_S)

    @property
    def _stop(self) -> Path:
        return self.path.with_name(f"{self.path.name}.stop")

    def _say(self, state: str, content: Mapping[str, Any]) -> None:
        write_json(self.path, {"state": state, "content": content})

    def _read(self) -> tuple[str, Mapping[str, Any]]:
        os.listdir(self.path.parent)  # noqa: PTH208 - makes a network file system look again
        try:
            found = json.loads(self.path.read_bytes())
            return str(found["state"]), found["content"]
        except (OSError, ValueError, KeyError):
            return "", {}
