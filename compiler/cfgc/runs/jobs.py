"""Slurm's jobs of a run: what submit.sh and job.sbatch wrote down, and which one the run waits for or runs in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cfgc.sbatch.directives import options_in
from cfgc.sbatch.options import SBATCH
from cfgc_runtime.point import FOLDER

RECORD: Final = "jobs.jsonl"
_SCRIPT: Final = "/job.sbatch"


@dataclass(frozen=True)
class Submission:
    """One job that was submitted for a run directory, ``at`` in seconds since the epoch.

    Of a sweep ``array`` is that of ``--array``; its tasks are the points from ``offset`` on. ``log`` is the job's own,
    with Slurm's ``%x``, ``%j`` and so on still in its name; empty when nobody knows. It ``needs`` other jobs to finish
    first.
    ``bundle`` is where it was submitted from, empty when nobody knows.
    """

    id: str
    at: float
    array: str = ""
    offset: int = 0
    log: str = ""
    needs: tuple[str, ...] = ()
    bundle: str = ""

    def tasks(self) -> list[tuple[int, int]]:
        """First and last of each range of array tasks."""
        ranges = [part.partition("-")[::2] for part in self.array.partition("%")[0].split(",") if part]
        return [(int(first), int(last or first)) for first, last in ranges]

    def task_of(self, point: int) -> str:
        """The job of ``point``; empty when it is not among these."""
        task = point - self.offset
        return f"{self.id}_{task}" if any(first <= task <= last for first, last in self.tasks()) else ""

    def log_of(self, job: str) -> str:
        """The log of ``job``, itself or a task of it, with a ``*`` for what only Slurm knows of its name."""
        number, _, task = job.partition("_")
        known = {"%j": number, "%A": number, "%a": task, "%%": "%"}
        directory, slash, name = self.log.rpartition("/")
        return directory + slash + re.sub(r"%\d*.", lambda found: known.get(found[0], "*"), name)


def submissions(run: Path) -> list[Submission]:
    """Those written down in the run directory ``run``, oldest first; lines that are damaged are left out."""
    try:
        lines = (run / RECORD).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [found for line in lines if (found := _read(line))]


def _read(line: str) -> Submission | None:
    try:
        raw = json.loads(line)
        array, offset = str(raw.get("array") or ""), int(raw.get("offset") or 0)
        needs, bundle = _needs(raw.get("command")), _bundle(raw.get("command"))
        log = _log(str(raw.get("log") or ""), _words(raw.get("command")))
        found = Submission(str(raw["id"]), float(raw["at"]), array, offset, log, needs, bundle)
        found.tasks()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found


def _bundle(command: Any) -> str:
    """The directory of the script that sbatch was given, its last word."""
    last = command[-1] if isinstance(command, list) and command else ""
    return last.removesuffix(_SCRIPT) if isinstance(last, str) and last.endswith(_SCRIPT) else ""


def _words(command: Any) -> list[str]:
    return [word for word in command if isinstance(word, str)] if isinstance(command, list) else []


def _log(planned: str, command: Sequence[str]) -> str:
    """``planned``, unless sbatch was told another one; a relative one stands where the planned one would."""
    options = [(SBATCH.full(name), value) for name, value in options_in(command[1:])]
    told = [value for name, value in options if name == "--output"]
    if not told:
        return planned
    if not told[-1].startswith("/") and (not planned or len(told) > 1 or "--chdir" in dict(options)):
        return ""
    directory, slash, name = told[-1].rpartition("/")
    if "%" in directory.replace("%%", ""):
        return ""
    return str(Path(planned).parent / (directory.replace("%%", "%") + slash) / name)


def _needs(command: Any) -> tuple[str, ...]:
    """The jobs that sbatch was told to wait for: ``--dependency=afterok:7:8``."""
    after = (word for word in _words(command) if word.startswith("--dependency="))
    return tuple(job for word in after for kind in word.split(",") for job in kind.split(":")[1:] if job.isdecimal())


def log_of(run: Path, job: str) -> str:
    """Where ``job`` of the run writes its own log; empty when nobody knows."""
    mine = [*submissions(run), *(submissions(run.parents[1]) if run.parent.name == FOLDER else ())]
    return next((one.log_of(job) for one in mine if one.id == job.partition("_")[0]), "")


@dataclass(frozen=True)
class Jobs:
    """Jobs of one run, empty for none: the newest that was ``submitted``, the one that the newest attempt ``ran_in``,
    and which of the two is ``newer``; and the jobs that the submitted one ``needs``."""

    submitted: str
    ran_in: str
    newer: str
    needs: tuple[str, ...] = ()


def jobs_of(run: Path, attempts: Sequence[Mapping[str, Any]]) -> Jobs:
    """The jobs of the run in ``run``; ``attempts`` are run.json's."""
    known = attempts[-1] if attempts else {}
    started = known.get("started")
    ran_in = _of_attempt(known.get("slurm"))
    found = [(one.at, one.id, one.needs) for one in submissions(run) if not one.array]
    if run.parent.name == FOLDER and run.name.isdecimal():
        of_sweep = submissions(run.parents[1])
        found += [(one.at, job, one.needs) for one in of_sweep if (job := one.task_of(int(run.name)))]
    at, submitted, needs = max(found, default=(0.0, "", ()))
    is_older = ran_in and isinstance(started, (int, float)) and started > at
    return Jobs(submitted, ran_in, ran_in if is_older else submitted or ran_in, needs)


def _of_attempt(slurm: Any) -> str:
    """The job of an attempt, as squeue calls it."""
    if not isinstance(slurm, dict):
        return ""
    array, task = slurm.get("slurm_array_job_id"), slurm.get("slurm_array_task_id")
    return f"{array}_{task}" if array and task is not None else str(slurm.get("slurm_job_id") or "")
