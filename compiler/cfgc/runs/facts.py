"""One run directory in a few facts. Whatever is damaged is left out, or the run is said to be damaged."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from cfgc.runs.jobs import RECORD
from cfgc.runs.queue import Job
from cfgc_runtime.attempt import Attempt, attempts_of, verdict
from cfgc_runtime.errors import FINISHED, PREEMPTED, Failure
from cfgc_runtime.identity import Identity, read_identity
from cfgc_runtime.metrics import last_metrics
from cfgc_runtime.retry import newest_step
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.values import KINDS, Values, read_values

State = Literal[
    "running", "finished", "preempted", "failed", "killed", "cancelled", "skipped", "new", "queued", "damaged"
]

QUIET_S: Final = 600.0
"""Seconds without a sign after which a run on another machine no longer counts as running."""


@dataclass(frozen=True)
class Facts:
    """How a run stands. Times are in seconds since the epoch; None is unknown.

    ``code`` is the exit code of an attempt that ended; ``problem`` says what is damaged; ``job`` is what Slurm says of
    the run's newest job, where it was asked.
    """

    path: Path
    name: str
    state: State
    code: int | None = None
    step: int | None = None
    max_steps: int | None = None
    loss: float | None = None
    best_eval_loss: float | None = None
    tokens_per_s: float | None = None
    seconds: float | None = None
    attempts: int = 0
    created: float | None = None
    updated: float | None = None
    problem: str = ""
    message: str = ""
    job: Job | None = None
    values: Values = field(default_factory=dict, repr=False)
    identity: Mapping[str, Any] = field(default_factory=dict, repr=False)


def is_run(path: Path) -> bool:
    """Whether ``path`` is, or was, a run directory, or a job that will make one was submitted."""
    if (path / "run.json").is_file() or ((path / "attempts").is_dir() and (path / "bundle").is_dir()):
        return True
    return (path / RECORD).is_file()


def read_run(path: Path) -> Facts:
    """The facts of the run in ``path``. Raises nothing: a run that cannot be read is a damaged one."""
    try:
        return _read(RunDirectory(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, Failure) as error:
        reason = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        return Facts(path, path.name, "damaged", problem=reason)


def _read(run: RunDirectory) -> Facts:
    if not run.identity.exists() and not run.attempts.exists() and (run.root / RECORD).exists():
        return Facts(run.root, run.root.name, "new", updated=(run.root / RECORD).stat().st_mtime)
    known = read_identity(run)
    name = known.content.get("experiment")
    if not isinstance(name, str):
        return Facts(run.root, run.root.name, "damaged", problem="run.json is missing or damaged")
    values, problem = _values(run)
    attempts = attempts_of(run)
    step, loss, best = last_metrics(run.metrics)
    saved = newest_step(run)  # a run that was asked to stop saves between two lines of metrics
    done = run.read_finished(str(known.content.get("plan_digest")))
    if done and isinstance(done.get("step"), int):
        step, saved = int(done["step"]), 0
    goal = _goal(_flat(values))
    state, code, message = ("finished", FINISHED, "") if done else _state(run, known, attempts)
    return Facts(
        path=run.root,
        name=name,
        state="damaged" if problem and state == "new" else state,
        code=code,
        step=max(step or 0, saved) or (step if goal else None),
        max_steps=goal,
        loss=_float(loss.get("loss")),
        best_eval_loss=best,
        tokens_per_s=_float(loss.get("tokens_per_s")),
        seconds=_float(done["seconds"]) if done else None,
        attempts=len(attempts),
        created=_float(known.content.get("created")),
        updated=_updated(run),
        problem=problem,
        message=message,
        values=values,
        identity=known.content,
    )


def _values(run: RunDirectory) -> tuple[Values, str]:
    try:
        return read_values(run.bundle), ""
    except Failure as failure:
        return {}, str(failure)


def _flat(values: Values) -> dict[str, Any]:
    return {key: value for kind in KINDS for key, value in values.get(kind, {}).items()}


def _goal(values: Mapping[str, Any]) -> int | None:
    """The steps that a training has to do; an evaluation only knows those of the training that it looks at."""
    return None if values.get("task.kind") == "evaluate" else _number(values.get("training.max_steps"))


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _state(run: RunDirectory, known: Identity, attempts: list[Attempt]) -> tuple[State, int | None, str]:
    """How a run stands that did not reach its end: the state, the exit code, and what was said of it."""
    if not attempts:
        return "new", None, ""
    newest = attempts[-1]
    exits = newest.exits()
    if _is_alive(run, known, newest):
        return "running", None, ""
    if not exits:
        return ("killed" if newest.was_used else "new"), None, ""
    code, cause = verdict(exits, FINISHED, [one.rank for one in exits])
    message = cause.message if cause else ""
    if code == FINISHED:
        return "killed", None, ""  # every rank ended well, and finished.json is not there
    return ("preempted" if code == PREEMPTED else "failed"), code, message


def _is_alive(run: RunDirectory, known: Identity, newest: Attempt) -> bool:
    """Whether a rank lives: known by its process here; on other machines a sign within ``QUIET_S`` tells."""
    pids = [pid for file in (newest.path / "pids").glob("rank-*") if (pid := _pid(file)) is not None]
    facts = known.attempts[-1] if known.attempts else {}
    hosts = [host.get("host") for host in facts.get("hosts", []) if isinstance(host, dict)] or [facts.get("host")]
    if hosts == [socket.gethostname()]:
        ended = {file.name for file in (newest.path / "exits").glob("rank-*")}
        return len(ended) < len(pids) and any(map(_exists, pids))
    return bool(pids) and not newest.exits() and time.time() - (_updated(run) or 0.0) < QUIET_S


def _pid(file: Path) -> int | None:
    words = file.read_text(errors="replace").split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _updated(run: RunDirectory) -> float | None:
    """The newest sign of life."""
    signs = [run.metrics, run.identity, run.finished, run.checkpoints, *run.attempts.glob("*/exits"), run.attempts]
    signs += run.attempts.glob("*/beats/*")
    times = [path.stat().st_mtime for path in signs if path.exists()]
    return max(times, default=None)
