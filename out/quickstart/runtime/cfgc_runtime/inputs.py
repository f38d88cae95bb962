"""What a stage began with: outputs of the stages that it needs. Standard library only.

A stage that has begun goes on from what it wrote itself, and would not notice that a stage before it ran once more.
Each attempt in run.json says what lay there, so that the next one can compare. Data is not among it: checkpoints know
its digest.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from cfgc_runtime.attempt import attempts_of
from cfgc_runtime.config import is_task, trains
from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.guard import CONTINUE
from cfgc_runtime.identity import read_identity
from cfgc_runtime.rundir import RunDirectory, newest_checkpoint
from cfgc_runtime.values import Difference, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cfgc_runtime.config import Config, NodePath

KEY: Final = "inputs"
_OUTPUT: Final = {"checkpoint": "checkpoint", "stage": "run_dir"}
_DIGITS: Final = 12


def read_inputs(run: RunDirectory, config: Config) -> dict[str, str]:
    """What each stage that ``config`` names has to give now, beside ``run``. Raises ``Failure`` where there is none."""
    paths = [path for path in _paths(config) if path.base in ("stage", "checkpoint")]
    return {f"{path.name}.{_OUTPUT[path.base]}": _given(run, path) for path in paths}


def check_inputs(run: RunDirectory, config: Config, now: Mapping[str, str]) -> str:
    """What there is to say of inputs that are others than those that ``run`` began with; empty when they are the same.

    Raises ``Failure`` unless the plan takes that.
    """
    found = [
        Difference(f"stages.{name}", "numerics", known, now[name])
        for name, known in _known(run).items()
        if name in now and known != now[name]
    ]
    if not found or not _has_begun(run, config):
        return ""
    accept = ""
    if trains(config):
        if config.CHECKPOINT.on_changed_numerics == "continue":
            return f" · goes on beside other inputs than it began with: {', '.join(map(str, found))}"
        accept = f', or accept it: set {CONTINUE} = "continue" in the spec and build again'
    raise Failure(
        BAD_BUNDLE,
        f"{run.root} began with what an earlier stage made that has run again since:{listing(found)}\n"
        f"remove that directory to begin anew, use another --run-dir{accept}",
    )


def _paths(config: Config) -> Iterator[NodePath]:
    if is_task(config):
        yield config.TASK.checkpoint
        yield from (path for _, path in config.TASK.paths)
        return
    yield config.WEIGHTS
    if config.MODEL.kind == "huggingface":
        yield config.MODEL.path


def _given(run: RunDirectory, path: NodePath) -> str:
    stage = RunDirectory(run.root.parent / path.name)
    if path.base == "checkpoint":
        name, content = newest_checkpoint(stage)
        return f"{name} ({_digest(json.dumps(content.files, sort_keys=True).encode())})"
    end = stage.finished.read_bytes() if stage.finished.exists() else b""
    return f"run {read_identity(stage).id} ({_digest(end)})"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _known(run: RunDirectory) -> Mapping[str, Any]:
    """The inputs of the newest attempt; none where that did not say them."""
    for attempt in reversed(read_identity(run).attempts):
        if isinstance(known := attempt.get(KEY), dict):
            return known
    return {}


def _has_begun(run: RunDirectory, config: Config) -> bool:
    """Whether there is something to go on from; nobody knows what a task of the user's own has written."""
    if not is_task(config):
        return trains(config) and any(run.checkpoints.glob("step-*"))
    if config.TASK.kind == "export":
        return run.model.exists()
    return any(attempt.was_used for attempt in attempts_of(run))
