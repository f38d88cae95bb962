"""A task of its own: it counts, saves how far it came, and leaves when it is asked to."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

SAVED_AND_LEFT = 75


def main(steps: int, pause: float = 0.0) -> int:
    """Count to ``steps``, a file a step, from where the last attempt stopped."""
    asked: list[int] = []
    signal.signal(signal.SIGUSR2, lambda number, _: asked.append(number))
    folder = Path(os.environ["CFGC_CHECKPOINT_DIR"]) / f"rank-{os.environ['RANK']}"
    folder.mkdir(parents=True, exist_ok=True)
    for step in range(len(list(folder.iterdir())) + 1, steps + 1):
        (folder / f"step-{step:04d}").write_text(os.environ["CFGC_ATTEMPT"])
        if asked:
            return SAVED_AND_LEFT
        time.sleep(pause)
    return 0
