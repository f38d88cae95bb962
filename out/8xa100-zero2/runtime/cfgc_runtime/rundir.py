"""Where things are in a run directory, and paths on this machine. Standard library only."""

from __future__ import annotations

import json
import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cfgc_runtime.errors import NO_INPUT, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cfgc_runtime.checkpoints.complete import Complete
    from cfgc_runtime.config import NodePath

RUN_DIR_VARIABLE: Final = "CFGC_RUN_DIR"
"""Tells every process of a run where its run directory is."""
ELSEWHERE: Final = "launch.sh --run-dir DIR, or CFGC_RUN_DIR=DIR on Slurm"
"""How a start names another run directory."""


@dataclass(frozen=True)
class RunDirectory:
    """``bundle`` is the copy that every attempt executes; the rest is what the run wrote."""

    root: Path

    @property
    def bundle(self) -> Path:
        """The staged bundle."""
        return self.root / "bundle"

    @property
    def attempts(self) -> Path:
        """One directory per start: 001, 002, …"""
        return self.root / "attempts"

    @property
    def checkpoints(self) -> Path:
        """``step-00000100`` and so on; each holds ``complete.json``."""
        return self.root / "checkpoints"

    @property
    def metrics(self) -> Path:
        """One JSON object a line."""
        return self.root / "metrics.jsonl"

    @property
    def results(self) -> Path:
        """What an evaluation found."""
        return self.root / "evaluation.json"

    @property
    def model(self) -> Path:
        """What an export wrote."""
        return self.root / "model"

    @property
    def tracking(self) -> Path:
        """Files of trackers."""
        return self.root / "tracking"

    @property
    def identity(self) -> Path:
        """Which bundle this run directory belongs to."""
        return self.root / "run.json"

    @property
    def excluded_nodes(self) -> Path:
        """Machines that failed the run and that it keeps away from, one a line."""
        return self.root / "excluded_nodes"

    @property
    def finished(self) -> Path:
        """Written last, by a run that reached its end."""
        return self.root / "finished.json"

    def read_finished(self, plan_digest: str) -> Mapping[str, Any] | None:
        """The summary of the finished run of this plan; None when it has not finished or the file is damaged.

        A run goes on from its last checkpoint then, which costs nothing and writes the file again.
        """
        try:
            summary = json.loads(self.finished.read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        whole = isinstance(summary, dict) and isinstance(summary.get("seconds"), (int, float))
        return summary if whole and summary.get("plan_digest") == plan_digest else None

    def write_finished(self, plan_digest: str, seconds: float, **done: int) -> None:
        """Say that the run of this plan reached its end, what it had ``done`` by then, and in how many seconds."""
        write_json(self.finished, {"plan_digest": plan_digest, **done, "seconds": round(seconds, 3)})


def expand(path: NodePath) -> Path:
    """``path`` on this machine. Raises ``Failure`` when its variable is not set, or its stage has no checkpoint."""
    if path.base == "absolute":
        return Path(path.path)
    if path.base == "stdlib":
        return Path(sysconfig.get_path("stdlib")) / path.path
    if path.base == "env":
        value = os.environ.get(path.name, "")
        if not value:
            place = Path(f"${path.name}") / path.path
            raise Failure(NO_INPUT, f"the environment variable {path.name} is not set; the spec names {place}")
        return Path(value) / path.path
    if path.base in ("stage", "checkpoint"):
        stage = RunDirectory(Path(os.environ[RUN_DIR_VARIABLE]).parent / path.name)
        if path.base == "checkpoint":
            return stage.checkpoints / newest_checkpoint(stage)[0] / path.path
        return stage.root / path.path
    return Path.cwd() / path.path


def newest_checkpoint(run: RunDirectory) -> tuple[str, Complete]:
    """The newest whole checkpoint of the stage ``run``. Raises ``Failure`` when there is none."""
    from cfgc_runtime.checkpoints.complete import newest_first  # which writes with what is here

    found = newest_first(run.checkpoints) if run.checkpoints.is_dir() else []
    for name, content in found:
        if content is not None:
            return name, content
    raise Failure(NO_INPUT, f"the stage {run.root.name} has no whole checkpoint in {run.checkpoints}: run it first")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` so that ``path`` holds either the old or the whole new file, also after a crash."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make renames in ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
