"""Run directories made by hand, as a runtime leaves them."""

from __future__ import annotations

import json
import math
import random
import socket
from typing import TYPE_CHECKING, Any

from cfgc_runtime.attempt import Attempt
from cfgc_runtime.metrics import append_metrics
from cfgc_runtime.rundir import RunDirectory, write_json

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "sha256:" + "5" * 64
START = 1_700_000_000.0
NOBODY = 2**22 + 5
"""A process id beyond what Linux gives."""


def make_run(path: Path, *, steps: int = 100, every: int = 5, rate: float = 1e-3, **spec: Any) -> RunDirectory:
    """A run of the experiment ``gpt`` that trained ``steps`` of 100 steps and whose last attempt was killed."""
    run = RunDirectory(path)
    run.bundle.mkdir(parents=True)
    numerics = {"training.learning_rate": rate, "training.max_steps": 100, "experiment.seed": 42, **spec}
    values: dict[str, Any] = {"numerics": numerics, "resources": {"launch.gpus_per_node": 2}, "logistics": {}}
    (run.bundle / "values.json").write_text(json.dumps({**values, "ds_config": {}}))
    attempt = {"number": 1, "started": START, "host": socket.gethostname(), "directory": "/home/me/work"}
    attempt |= {"git": {"commit": "0" * 40, "dirty": True}, "versions": {"python": "3.11.9", "torch": "2.13.0"}}
    identity = {"format": 1, "id": "abc", "experiment": "gpt", "created": START, "plan_digest": DIGEST}
    write_json(run.identity, {**identity, "attempts": [attempt]})
    for name in ("pids", "exits", "beats", "logs"):
        (run.attempts / "001" / name).mkdir(parents=True)
    (run.attempts / "001" / "pids" / "rank-0").write_text(f"0 {NOBODY}\n")
    noise = random.Random(str(rate))
    for step in [1, *range(every, steps + 1, every)]:
        loss = 1.5 + 4 * math.exp(-step * rate * 40) + noise.gauss(0, 0.05)
        values = {"step": step, "loss": loss, "lr": rate * min(1, step / 10) * (1 - step / 110)}
        values |= {"grad_norm": 0.4 + 2 * math.exp(-step / 8) + abs(noise.gauss(0, 0.05)), "tokens": step * 4096}
        append_metrics(run.metrics, {**values, "tokens_per_s": 41_000 + noise.gauss(0, 600), "time": START + step})
        if step % (5 * every) == 0:
            append_metrics(run.metrics, {"step": step, "eval_loss": loss + 0.1, "time": START + step})
    return run


def end(run: RunDirectory, code: int, message: str = "") -> None:
    """The newest attempt ended with exit code ``code`` on its two ranks."""
    attempt = Attempt(run.attempts / "001")
    for rank in (0, 1):
        attempt.record_exit(rank, code, message)
    if code == 0:
        write_json(run.finished, {"plan_digest": DIGEST, "step": 100, "tokens": 409_600, "seconds": 61.5})
