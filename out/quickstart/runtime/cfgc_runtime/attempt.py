"""One start of a run: process ids to signal, and how every rank ended. Standard library only.

Each rank writes its own small files, so that nothing depends on appends being atomic on a shared file system.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc_runtime.errors import BAD_BUNDLE, FINISHED, INTERNAL, LOST_PEER, PREEMPTED, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory


@dataclass(frozen=True)
class Exit:
    """How a rank ended; ``at`` in seconds since the epoch; ``message`` is empty when it could not speak."""

    rank: int
    code: int
    at: float
    message: str


@dataclass(frozen=True)
class Attempt:
    """The directory ``attempts/NNN``."""

    path: Path

    def log(self, name: str) -> Path:
        """The log of one process, such as ``rank-0``."""
        return self.path / "logs" / f"{name}.log"

    def record_pid(self, rank: int, node_rank: int, pid: int) -> None:
        """Say which process on which node is ``rank``."""
        _write_new(self.path / "pids" / f"rank-{rank}", f"{node_rank} {pid}\n")

    def running(self, node_rank: int) -> list[int]:
        """Process ids of the ranks on this node that have not ended."""
        pids = []
        for file in sorted((self.path / "pids").glob("rank-*")):
            node, pid = (int(word) for word in file.read_text().split())
            if node == node_rank and not (self.path / "exits" / file.name).exists():
                pids.append(pid)
        return pids

    def record_exit(self, rank: int, code: int, message: str = "") -> None:
        """Say how ``rank`` ended; the first record stands, since it is nearest to the cause."""
        content = json.dumps({"rank": rank, "code": code, "at": time.time(), "message": message})
        _write_new(self.path / "exits" / f"rank-{rank}", content + "\n")

    def exits(self) -> list[Exit]:
        """What was recorded so far, first to last."""
        files = (self.path / "exits").glob("rank-*")
        return sorted((Exit(**json.loads(file.read_text())) for file in files), key=lambda found: found.at)


def create_attempt(run: RunDirectory) -> Attempt:
    """The next attempt's directory."""
    run.attempts.mkdir(parents=True, exist_ok=True)
    number = len(_numbered(run)) + 1
    path = run.attempts / f"{number:03d}"
    for name in ("pids", "exits", "logs"):
        (path / name).mkdir(parents=True)
    return Attempt(path)


def newest_attempt(run: RunDirectory) -> Attempt:
    """The attempt that ``stage`` created last. Raises ``Failure`` when there is none."""
    found = _numbered(run)
    if not found:
        raise Failure(BAD_BUNDLE, f"{run.root} has no attempt: run the runtime's `stage` command first")
    return Attempt(found[-1])


def verdict(exits: Sequence[Exit], launcher: int, ranks: int) -> tuple[int, Exit | None]:
    """The attempt's exit code, and the rank that decided it.

    A rank that only lost its peers is not the cause while another one failed by itself. ``launcher`` is torchrun's
    code, used when the ranks' records do not explain the end.
    """
    failed = [found for found in exits if found.code not in (FINISHED, PREEMPTED)]
    causes = [found for found in failed if found.code != LOST_PEER] or failed
    if causes:
        return causes[0].code, causes[0]
    if len(exits) < ranks:
        return shell_code(launcher) or INTERNAL, None
    saved = [found for found in exits if found.code == PREEMPTED]
    return (PREEMPTED, saved[0]) if saved else (FINISHED, None)


def shell_code(status: int) -> int:
    """An exit status as a shell says it: 128 + the number of the signal that ended the process."""
    return status if status >= 0 else 128 - status


def _numbered(run: RunDirectory) -> list[Path]:
    return sorted(path for path in run.attempts.glob("[0-9][0-9][0-9]*") if path.is_dir())


def _write_new(path: Path, content: str) -> None:
    """Create ``path`` whole, or leave the one that is there. A rank's records have one writer at a time."""
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(content)
    temporary.rename(path)
