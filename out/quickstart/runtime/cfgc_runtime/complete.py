"""``complete.json``: the list that makes a directory a checkpoint. Standard library only."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from cfgc_runtime.rundir import sync_directory, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "complete.json"
_FORMAT = 1
_NAME = re.compile(r"step-(\d{8,})")


class Entry(TypedDict):
    """One file: its length in bytes and its digest in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Complete:
    """A checkpoint that was whole when it was written. ``state`` is what the training loop stored."""

    step: int
    plan_digest: str
    world_size: int
    files: Mapping[str, Entry]
    state: Mapping[str, Any]


def name_of(step: int) -> str:
    """The directory of the checkpoint after ``step`` optimizer steps."""
    return f"step-{step:08d}"


def step_of(name: str) -> int | None:
    """The inverse of ``name_of``; None for any other name."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def seal(path: Path) -> Entry:
    """Make a written file durable and describe it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def is_intact(path: Path, entry: Entry) -> bool:
    """Whether the file is still what ``entry`` says."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry["sha256"]
    except OSError:
        return False


def write(
    directory: Path, step: int, plan_digest: str, world_size: int, files: Mapping[str, Entry], state: Mapping[str, Any]
) -> None:
    """Declare ``directory`` whole."""
    content = {
        "format": _FORMAT,
        "step": step,
        "plan_digest": plan_digest,
        "world_size": world_size,
        "state": dict(state),
        "files": {name: files[name] for name in sorted(files)},
    }
    write_json(directory / FILE, content)
    sync_directory(directory)


def newest_first(directory: Path) -> list[tuple[str, Complete | None]]:
    """Names of the run's checkpoints and what they hold; None where ``complete.json`` cannot be used."""
    names = sorted((path.name for path in directory.iterdir() if step_of(path.name) is not None), reverse=True)
    return [(name, _read(directory / name)) for name in names]


def _read(path: Path) -> Complete | None:
    try:
        raw = json.loads((path / FILE).read_text(encoding="utf-8"))
        if raw["format"] != _FORMAT or raw["step"] != step_of(path.name):
            return None
        return Complete(raw["step"], raw["plan_digest"], raw["world_size"], raw["files"], raw["state"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
