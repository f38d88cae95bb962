"""One start of a run: process ids to signal, and how every rank ended. Standard library only.

Each rank writes its own small files, so that nothing depends on appends being atomic on a shared file system. They are
reserved in full before training, so that a rank can say on a full disk that the disk is full.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc_runtime.errors import BAD_BUNDLE, FINISHED, INTERNAL, LOST_PEER, PREEMPTED, Failure, is_failure
from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Sequence
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory

_RECORD_SIZE = 4096
_OPENED = "opened.json"
_FOLDERS = ("pids", "exits", "beats", "logs", "ready", "told")
_MESSAGE_SIZE = 3000


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

    @property
    def number(self) -> int:
        """Its place among the starts of the run, from 1."""
        return int(self.path.name)

    def log(self, name: str) -> Path:
        """The log of one process, such as ``rank-0``."""
        return self.path / "logs" / f"{name}.log"

    def reserve(self, rank: int) -> None:
        """Take the room that the records of ``rank`` will need. Raises ``OSError`` when there is none."""
        places = [_reserved(self.path / kind / f"rank-{rank}") for kind in ("pids", "exits")]
        for place in (*places, self.beat_of(rank)):
            with place.open("wb") as file:
                file.write(b" " * _RECORD_SIZE)
                file.flush()
                os.fsync(file.fileno())

    def beat_of(self, rank: int) -> Path:
        """Where ``rank`` says what it is doing."""
        return self.path / "beats" / f"rank-{rank}"

    @property
    def nodes(self) -> Path:
        """The machines that it has, one a line, as ``stage`` was told."""
        return self.path / "nodes"

    def hosts(self) -> list[str]:
        """Those machines, the one of node 0 first; empty when nobody said."""
        return self.nodes.read_text(encoding="utf-8", errors="replace").split() if self.nodes.exists() else []

    @property
    def meeting(self) -> Path:
        """Host and port where its ranks meet, when no scheduler says it."""
        return self.path / "meeting"

    @property
    def flight(self) -> Path:
        """Where NCCL's flight recorder writes."""
        return self.path / "flight"

    @property
    def taken(self) -> Path:
        """It exists once the attempt was taken away: preempted, requeued or cancelled, for no fault of the run."""
        return self.path / "taken"

    def told(self, node_rank: int) -> Path:
        """It exists once a node has heard that the attempt is taken away; a machine that is lost hears nothing."""
        return self.path / "told" / f"node-{node_rank}"

    @property
    def was_used(self) -> bool:
        """Whether anything was started in it."""
        return any(any((self.path / name).glob("*")) for name in _FOLDERS)

    @property
    def was_refused(self) -> bool:
        """Whether it ended before a rank was there, since another start of the run was faster or the bundle edited."""
        exits = self.exits()
        refused = bool(exits) and all(end.code == BAD_BUNDLE for end in exits)
        return refused and not any((self.path / "pids").glob("rank-*"))

    def record_pid(self, rank: int, node_rank: int, pid: int) -> None:
        """Say which process on which node is ``rank``."""
        _write_new(self.path / "pids" / f"rank-{rank}", f"{node_rank} {pid}\n")

    def started(self, ranks: Iterable[int]) -> dict[int, int]:
        """Those of ``ranks`` that have started, and the process ids that they had or have on their node."""
        found = {rank: _read_process(self.path / "pids" / f"rank-{rank}") for rank in ranks}
        return {rank: process[1] for rank, process in found.items() if process}

    def running(self, ranks: Iterable[int]) -> dict[int, int]:
        """Those of ``ranks`` that have started and not ended, and their process ids."""
        ended = self.path / "exits"
        return {rank: pid for rank, pid in self.started(ranks).items() if not (ended / f"rank-{rank}").exists()}

    def processes(self) -> dict[int, tuple[int, int]]:
        """The node and the process id of each rank that has started and not ended."""
        ended = {end.rank for end in self.exits()}
        said = {_rank_of(file): _read_process(file) for file in (self.path / "pids").glob("rank-*")}
        return {rank: process for rank, process in said.items() if process and rank not in ended}

    def ready(self, node_rank: int) -> Path:
        """It exists once a node has been seen to, so that its ranks may start."""
        return self.path / "ready" / f"node-{node_rank}"

    def record_exit(self, rank: int, code: int, message: str = "") -> None:
        """Say how ``rank`` ended; the first record stands, since it is nearest to the cause."""
        content = {"rank": rank, "code": code, "at": time.time(), "message": message[:_MESSAGE_SIZE]}
        _write_new(self.path / "exits" / f"rank-{rank}", json.dumps(content, ensure_ascii=False) + "\n")

    @property
    def started_from(self) -> int | None:
        """The step of the newest checkpoint when it was opened; None when that is not known any more."""
        step = self._opened("step")
        return None if step is None else int(step)

    @property
    def opened_at(self) -> float | None:
        """When it was opened, in seconds since the epoch; None when that is not known any more."""
        return self._opened("at")

    def _opened(self, key: str) -> float | None:
        try:
            return float(json.loads((self.path / _OPENED).read_bytes())[key])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def exits(self, besides: Container[int] = ()) -> list[Exit]:
        """What was recorded so far, first to last; ranks that are known already can be left out."""
        files = [file for file in (self.path / "exits").glob("rank-*") if _rank_of(file) not in besides]
        return sorted(map(_read_exit, files), key=lambda one: one.at)

    @property
    def has_failed(self) -> bool:
        """Whether a rank said so far that it failed."""
        return any(is_failure(end.code) for end in self.exits())


def create_attempt(run: RunDirectory, step: int = 0) -> Attempt:
    """The next attempt's directory, which goes on from ``step``. The caller holds the run directory alone.

    One that was opened and in which nothing was started is opened again: it was no attempt.
    """
    run.attempts.mkdir(parents=True, exist_ok=True)
    found = _numbered(run)
    newest = max(found, default=0)
    unused = newest > 0 and not Attempt(found[newest]).was_used
    path = found[newest] if unused else run.attempts / f"{newest + 1:03d}"
    for name in _FOLDERS:
        (path / name).mkdir(parents=True, exist_ok=True)
    write_json(path / _OPENED, {"step": step, "at": time.time()})
    return Attempt(path)


def attempts_of(run: RunDirectory) -> list[Attempt]:
    """All of them, the first one first."""
    found = _numbered(run)
    return [Attempt(found[number]) for number in sorted(found)]


def real_attempts(run: RunDirectory) -> list[Attempt]:
    """Those in which something was started that was not refused, the first one first."""
    return [attempt for attempt in attempts_of(run) if attempt.was_used and not attempt.was_refused]


def newest_attempt(run: RunDirectory) -> Attempt:
    """The attempt that ``stage`` created last. Raises ``Failure`` when there is none."""
    found = _numbered(run)
    if not found:
        raise Failure(BAD_BUNDLE, f"{run.root} has no attempt: run the runtime's `stage` command first")
    return Attempt(found[max(found)])


def verdict(exits: Sequence[Exit], launcher: int, ranks: Collection[int]) -> tuple[int, Exit | None]:
    """The exit code of ``ranks``, and the rank that decided it: any that failed, else one of these.

    A rank that only lost its peers is not the cause while another one failed by itself. ``launcher`` is torchrun's
    code, used when the ranks' records do not explain the end.
    """
    failed = [found for found in exits if is_failure(found.code)]
    causes = [found for found in failed if found.code != LOST_PEER] or failed
    if causes:
        return causes[0].code, causes[0]
    ended = {found.rank: found for found in exits}
    if not ended.keys() >= set(ranks):
        return shell_code(launcher) or INTERNAL, None
    saved = [ended[rank] for rank in ranks if ended[rank].code == PREEMPTED]
    return (PREEMPTED, saved[0]) if saved else (FINISHED, None)


def shell_code(status: int) -> int:
    """An exit status as a shell says it: 128 + the number of the signal that ended the process."""
    return status if status >= 0 else 128 - status


def _read_process(file: Path) -> tuple[int, int] | None:
    """The node and the process id; None when they are not there (yet)."""
    try:
        words = file.read_text(errors="replace").split()
    except FileNotFoundError:
        return None
    return (int(words[0]), int(words[1])) if len(words) > 1 and all(map(str.isdecimal, words[:2])) else None


def _numbered(run: RunDirectory) -> dict[int, Path]:
    paths = run.attempts.glob("[0-9]*")
    return {int(path.name): path for path in paths if path.name.isdecimal() and path.is_dir()}


def _read_exit(file: Path) -> Exit:
    """The record in ``file``; a damaged one counts as an unexpected end, since nobody knows what it said."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return Exit(int(raw["rank"]), int(raw["code"]), float(raw["at"]), str(raw["message"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        said = f"the record of how it ended is damaged: {file}"
        return Exit(_rank_of(file), INTERNAL, file.stat().st_mtime, said)


def _rank_of(file: Path) -> int:
    rank = file.name.removeprefix("rank-")
    return int(rank) if rank.isdecimal() else -1


def _reserved(path: Path) -> Path:
    return path.with_name(f".{path.name}")


def _write_new(path: Path, content: str) -> None:
    """Create ``path`` whole, or leave the one that is there. A rank's records have one writer at a time.

    The room that was reserved is overwritten in place, which a full disk allows, and what is left of it given back.
    """
    if path.exists():
        return
    temporary = _reserved(path)
    raw = content.encode("utf-8", "replace")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(descriptor, raw.ljust(_RECORD_SIZE), 0)
        os.fsync(descriptor)
        with suppress(OSError):  # else blanks follow the record, which readers strip
            os.ftruncate(descriptor, len(raw))
    finally:
        os.close(descriptor)
    temporary.rename(path)
