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
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cfgc_runtime.values import Values

FILE = "complete.json"
_FORMAT = 3
_NAME = re.compile(r"step-(\d{8,})")
_KIND = re.compile(r"rng|optim_states|model_states")
_OWNER = re.compile(r"rank[_-](\d+)")


class Entry(TypedDict):
    """One file: its length in bytes and its digest in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Complete:
    """A checkpoint that was whole when it was written.

    ``releases`` are those of torch and DeepSpeed that wrote it, ``values`` the spec's without logistics; ``state`` is
    what the training loop stored.
    """

    step: int
    plan_digest: str
    world_size: int
    releases: Mapping[str, str]
    values: Values
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


def owner_of(name: str) -> int:
    """The rank that writes a file of this name: its number is in it, rank 0 writes the others."""
    found = _OWNER.search(name)
    return int(found[1]) if found else 0


def missing_parts(names: Iterable[str], world_size: int, zero_stage: int) -> list[str]:
    """What a checkpoint of ``zero_stage`` lacks: weights, optimizer and random number state of its ranks."""
    found = {(kind[0], owner_of(name)) for name in names if (kind := _KIND.search(name))}
    everyone = range(world_size)
    needed = [("rng", rank) for rank in everyone]
    needed += [("model_states", rank) for rank in (everyone if zero_stage == 3 else (0,))]
    needed += [("optim_states", rank) for rank in (everyone if zero_stage else ())]
    return [f"{kind} of rank {rank}" for kind, rank in needed if (kind, rank) not in found]


def write(directory: Path, content: Complete) -> None:
    """Declare ``directory`` whole."""
    plain = {
        "format": _FORMAT,
        "step": content.step,
        "plan_digest": content.plan_digest,
        "world_size": content.world_size,
        "releases": dict(content.releases),
        "values": dict(content.values),
        "state": dict(content.state),
        "files": {name: content.files[name] for name in sorted(content.files)},
    }
    write_json(directory / FILE, {**plain, "digest": _digest(plain)})
    sync_directory(directory)


def newest_first(directory: Path) -> list[tuple[str, Complete | None]]:
    """Names of the run's checkpoints and what they hold; None where ``complete.json`` cannot be used."""
    names = [path.name for path in directory.iterdir() if step_of(path.name) is not None]
    return [(name, _read(directory / name)) for name in sorted(names, key=_by_step, reverse=True)]


def _by_step(name: str) -> int:
    return step_of(name) or 0


def _read(path: Path) -> Complete | None:
    try:
        raw = json.loads((path / FILE).read_bytes())
        digest = raw.pop("digest")
        if digest != _digest(raw) or raw["format"] != _FORMAT or raw["step"] != step_of(path.name):
            return None
        return Complete(**{name: raw[name] for name in Complete.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _digest(content: Mapping[str, Any]) -> str:
    """Of everything else in the file, however it is laid out."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
