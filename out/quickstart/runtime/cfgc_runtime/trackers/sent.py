"""How far a tracker got that can only add: what a resumed run does again is not reported again."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Sent:
    """The newest step reported, the metrics reported of it, and how many lines were sent in all attempts.

    What was handed over less than ``settling_s`` ago is not noted yet: a kill may take what a tracker still holds, and
    then it is sent again.
    """

    def __init__(self, path: Path, settling_s: float = 0.0) -> None:
        self._path, self._settling_s = path, settling_s
        self._step, self._keys, self.lines = 0, set[str](), 0
        self._held: deque[tuple[float, dict[str, Any]]] = deque()

    def load(self) -> None:
        """Go on from what the file says; from the start when there is none."""
        try:
            raw = json.loads(self._path.read_bytes())
            self._step, self._keys, self.lines = int(raw["step"]), set(raw["keys"]), int(raw["lines"])
        except (OSError, ValueError, KeyError, TypeError):
            self._step, self._keys, self.lines = 0, set(), 0

    @property
    def step(self) -> int:
        """The newest step that is known to be reported."""
        return self._step

    def note(self, step: int, keys: set[str]) -> None:
        """``keys`` of ``step`` were reported, although a kill kept that from being noted."""
        self._step, self._keys = step, keys

    def new_of(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """What of ``line`` was not reported yet."""
        step = line["step"]
        if step < self._step:
            return {}
        return {key: value for key, value in line.items() if step > self._step or key not in self._keys}

    def add(self, line: Mapping[str, Any]) -> None:
        """``line`` was reported."""
        if line["step"] > self._step:
            self._step, self._keys = line["step"], set()
        self._keys |= set(line) - {"step", "time"}
        self.lines += 1
        self._held.append((time.monotonic(), {"step": self._step, "keys": sorted(self._keys), "lines": self.lines}))
        self._note(time.monotonic() - self._settling_s)

    def settle(self) -> None:
        """Everything has arrived."""
        self._note(math.inf)

    def _note(self, until: float) -> None:
        content: dict[str, Any] = {}
        while self._held and self._held[0][0] <= until:
            _, content = self._held.popleft()
        if content:
            temporary = self._path.with_name(f".{self._path.name}.new")
            temporary.write_text(json.dumps(content), encoding="utf-8")
            temporary.replace(self._path)
