"""All logs of runs as one: each line with the attempt, the rank and the host that wrote it, in the order of time.

Logs have few times of their own. A line without one goes with the line before it; the lines before the first time of a
log go with that; a log without any stands where it was last written. Ends of ranks are recorded with their times.
"""

from __future__ import annotations

import heapq
import itertools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cfgc.runs.jobs import Submission, submissions
from cfgc.runs.stamps import time_of
from cfgc_runtime.attempt import Attempt, Exit, attempts_of, verdict
from cfgc_runtime.errors import FINISHED, is_failure, meaning
from cfgc_runtime.identity import read_identity
from cfgc_runtime.point import FOLDER
from cfgc_runtime.rundir import RunDirectory

_RANK: Final = re.compile(r"rank-(\d+)")
_NODE: Final = re.compile(r"node-(\d+)(?:\.\d+)?")
_SRUN: Final = "srun"


@dataclass(frozen=True)
class Source:
    """One log. ``attempt`` 0 is the job's own log, of all attempts; ``rank`` -1 is that of no rank."""

    run: str
    attempt: int
    name: str
    rank: int
    host: str
    path: Path
    opened: float = 0.0

    @property
    def label(self) -> str:
        """``attempt/rank@host``, behind the run where there are several."""
        place = f"{self.attempt}/{self.name}" if self.attempt else self.name
        return f"{self.run}:{place}{'@' if self.host else ''}{self.host}".removeprefix(":")


@dataclass(frozen=True)
class Line:
    """``at`` is in seconds since the epoch; ``recorded`` lines are no log's, but what a rank left behind as its end."""

    at: float
    source: Source
    text: str
    recorded: bool = False


@dataclass(frozen=True)
class Fault:
    """The first failure of an attempt."""

    source: Source
    end: Exit


@dataclass(frozen=True)
class Wanted:
    """Which logs; None for all."""

    rank: int | None = None
    attempt: int | None = None


def sources_of(path: Path, run: str, wanted: Wanted) -> list[Source]:
    """The logs of the run in ``path``, which is called ``run`` in labels; those of the job itself last."""
    directory = RunDirectory(path)
    found = [
        source
        for attempt in attempts_of(directory)
        if wanted.attempt in (None, int(attempt.path.name))
        for source in _of_attempt(directory, attempt, run)
    ]
    jobs = [] if wanted.attempt is not None else list(_of_jobs(path, run))
    if jobs:  # what srun says is in them too
        found = [source for source in found if source.name != _SRUN]
    return [source for source in [*found, *jobs] if wanted.rank in (None, source.rank)]


def _of_attempt(run: RunDirectory, attempt: Attempt, name: str) -> Iterator[Source]:
    number, opened = int(attempt.path.name), attempt.opened_at or 0.0
    hosts = _Hosts(run, attempt)
    logs = sorted((attempt.path / "logs").glob("*.log"), key=lambda path: (len(path.name), path.name))
    ends = {f"rank-{end.rank}" for end in attempt.exits()}
    for path in (*logs, *(attempt.log(end) for end in sorted(ends - {path.stem for path in logs}))):
        rank, node = _RANK.fullmatch(path.stem), _NODE.fullmatch(path.stem)
        host = hosts.of_rank(int(rank[1])) if rank else hosts.of_node(int(node[1])) if node else ""
        yield Source(name, number, path.stem, int(rank[1]) if rank else -1, host, path, opened)


class _Hosts:
    """Names of the machines of one attempt: Slurm's, or those that run.json has."""

    def __init__(self, run: RunDirectory, attempt: Attempt) -> None:
        self._attempt, self._nodes = attempt, attempt.hosts()
        entries = read_identity(run).attempts
        self._facts: Mapping[str, Any] = next(
            (entry for entry in entries if entry.get("number") == int(attempt.path.name)), {}
        )

    def of_node(self, node: int) -> str:
        if node < len(self._nodes):
            return self._nodes[node]
        return str(self._facts.get("host") or "") if node == 0 else ""

    def of_rank(self, rank: int) -> str:
        hosts = self._facts.get("hosts")
        for host in hosts if isinstance(hosts, list) else ():
            if isinstance(host, dict) and rank in (host.get("ranks") or ()):
                return str(host.get("host") or "")
        with suppress(OSError, ValueError, IndexError):
            return self.of_node(int((self._attempt.path / "pids" / f"rank-{rank}").read_text().split()[0]))
        return ""


def _of_jobs(path: Path, run: str) -> Iterator[Source]:
    """Logs of the jobs themselves: what job.sbatch said, and the line of rank 0."""
    mine = [(one, one.id) for one in submissions(path) if not one.array]
    if path.parent.name == FOLDER and path.name.isdecimal():
        mine += [(one, job) for one in submissions(path.parents[1]) if (job := one.task_of(int(path.name)))]
    for one, job in mine:
        if (log := _log_of(one, job)) is not None:
            yield Source(run, 0, f"job-{job}", -1, "", log)


def _log_of(job: Submission, name: str) -> Path | None:
    """The file that Slurm made of the pattern; None where there is none."""
    if not job.log:
        return None
    directory, _, file = job.log_of(name).rpartition("/")
    with suppress(OSError):
        shape = re.compile(".*".join(map(re.escape, file.split("*"))))
        return next((path for path in sorted(Path(directory).iterdir()) if shape.fullmatch(path.name)), None)
    return None


def merged(sources: Sequence[Source], until: Mapping[Path, int] | None = None) -> Iterator[Line]:
    """The lines of all ``sources``, and how ranks ended, by time. ``until`` says how many bytes of a log are read."""
    runs = [list(group) for _, group in itertools.groupby(sources, key=lambda source: source.run)]
    return heapq.merge(*(_of_run(group, until or {}) for group in runs), key=lambda line: line.at)


def _of_run(sources: Sequence[Source], until: Mapping[Path, int]) -> Iterator[Line]:
    """One attempt after the other, so that only the logs of one are open at a time."""
    latest = 0.0
    for _, group in itertools.groupby(sources, key=lambda source: source.attempt):
        for line in heapq.merge(*(_lines(one, until) for one in group), key=lambda line: line.at):
            latest = max(latest, line.at)
            yield Line(latest, line.source, line.text, line.recorded)


def _lines(source: Source, until: Mapping[Path, int]) -> Iterator[Line]:
    written = _written(source, until.get(source.path, sys.maxsize))
    yield from heapq.merge(written, _recorded(source), key=lambda line: line.at)


def _written(source: Source, size: int) -> Iterator[Line]:
    try:
        last = source.path.stat().st_mtime
        with source.path.open("rb") as file:
            times = (time_of(raw.decode("utf-8", "replace"), source.opened, last) for raw in file)
            at = next((time for time in times if time is not None), last)
            file.seek(0)
            for raw in itertools.takewhile(lambda _: file.tell() <= size, file):
                line = raw.decode("utf-8", "replace")
                at = max(at, time_of(line, source.opened, last) or at)
                yield Line(at, source, shown(line))
    except OSError:
        return


def shown(line: str) -> str:
    """A line without its end; of a line that was written over and over, what was left standing."""
    return line.rstrip("\r\n").rpartition("\r")[2]


def _recorded(source: Source) -> Iterator[Line]:
    """How the rank ended, with the time of that."""
    if source.rank < 0:
        return
    for end in Attempt(source.path.parents[1]).exits():
        if end.rank == source.rank:
            yield Line(end.at, source, sentence(end), recorded=True)


def sentence(end: Exit) -> str:
    """What the exit code means, and what the rank said."""
    said = f"; it said: {end.message}" if end.message else ""
    return f"ended with exit code {end.code}: {meaning(end.code)}{said}"


def faults(sources: Sequence[Source]) -> list[Fault]:
    """The rank that failed first by itself, of each attempt in which one did; the earliest first."""
    found = []
    attempts = {source.path.parents[1] for source in sources if source.rank >= 0}
    for path in attempts:
        exits = Attempt(path).exits()
        _, cause = verdict(exits, FINISHED, [end.rank for end in exits])
        if cause and is_failure(cause.code):
            place = next((one for one in sources if one.path.parents[1] == path and one.rank == cause.rank), None)
            found += [Fault(place, cause)] if place else []
    return sorted(found, key=lambda fault: fault.end.at)
