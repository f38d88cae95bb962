"""What Slurm says of jobs. Slurm may be absent, slow, or keep no accounts: then less is known, and nothing fails."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

PATIENCE_S: Final = 5.0
"""How long each of Slurm's commands may take."""

WAITING: Final = frozenset(
    ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD", "CONFIGURING")
)
RUNNING: Final = frozenset(
    ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING", "STAGED")
)
GONE: Final = "GONE"
"""Slurm does not know the job any more, or not how it ended."""
CANCELLED: Final = "CANCELLED"
NEED_FAILED: Final = "DependencyNeverSatisfied"
"""The reason of a job that waited for one that did not finish."""
LAUNCH_FAILED: Final = "JobLaunchFailure"
"""The reason of a job whose script never ran."""

_LAST_SIGNAL: Final = 31
_NO_LAUNCH: Final = "0:53"
"""What Slurm keeps of its own error then; 53 is the signal of no process."""


@dataclass(frozen=True)
class Job:
    """A job, or a task of an array, in Slurm's own words; what is not known is empty. ``code`` is its exit code."""

    id: str
    state: str
    reason: str = ""
    elapsed: str = ""
    limit: str = ""
    code: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether it neither waits nor runs."""
        return self.state not in WAITING and self.state not in RUNNING


class SlurmIsSilent(Exception):  # noqa: N818 - a reason to know less
    """Slurm does not answer; the message says how."""


def ask_slurm(jobs: Collection[str]) -> dict[str, Job]:
    """What is known of ``jobs``, by id; GONE for those that Slurm forgot. Nothing where there is no Slurm.

    An id without a task stands for all tasks of an array, each under its own id. Raises ``SlurmIsSilent``.
    """
    if not jobs or not shutil.which("squeue"):
        return {}
    found = {job.id: job for job in _queued(_arrays(jobs))}
    arrays = {job.partition("_")[0] for job in found if "_" in job}
    missing = [job for job in jobs if job not in found and job not in arrays]
    ended = [_asked(job, jobs) for job, said in found.items() if said.is_over and _is_one_of(job, jobs)]
    accounts: dict[str, Job] = {}
    if missing or ended:
        with suppress(SlurmIsSilent):  # what the controller said is known all the same
            told = (job for job in _accounted({*missing, *ended}) if job.id not in found or found[job.id].is_over)
            accounts = {job.id: _with_reason(job, found.get(job.id)) for job in told}
    known = {*accounts, *(job.partition("_")[0] for job in accounts)}
    gone = {job: Job(job, GONE) for job in missing if job not in known}
    return {**gone, **found, **accounts}


def _is_one_of(job: str, jobs: Collection[str]) -> bool:
    """Whether ``job`` is among ``jobs``, as itself or as a task of an array."""
    return job in jobs or job.partition("_")[0] in jobs


def _asked(job: str, jobs: Collection[str]) -> str:
    """``job``, or its array where ``jobs`` has that: the queue forgets its tasks one by one."""
    return job if job in jobs else job.partition("_")[0]


def _with_reason(job: Job, queued: Job | None) -> Job:
    """``job`` of the accounts, which have no reasons: one that tells a job that never started is kept."""
    return replace(job, reason=queued.reason) if queued and queued.reason in (NEED_FAILED, LAUNCH_FAILED) else job


@cache
def this_cluster() -> str:
    """The name of the cluster that is asked here; empty when nobody says."""
    if not shutil.which("scontrol"):
        return ""
    try:
        _, text, _ = _run("scontrol", "show", "config")
    except SlurmIsSilent:
        return ""
    named = (line.partition("=")[2].strip() for line in text.splitlines() if line.startswith("ClusterName"))
    return next(named, "")


def _queued(listed: str) -> Iterator[Job]:
    """Jobs that wait, run, or ended a moment ago."""
    command = ("squeue", "--noheader", "--array", "--states=all", f"--jobs={listed}", "--format=%i|%T|%M|%l|%r")
    code, text, problem = _run(*command)
    if code and "nvalid job id" not in problem:
        raise SlurmIsSilent(f"squeue: {problem.strip().splitlines()[-1] if problem.strip() else f'exit code {code}'}")
    for line in text.splitlines():
        words = line.split("|", 4)
        if len(words) == 5:
            job, state, elapsed, limit, reason = (word.strip() for word in words)
            yield Job(job, state, "" if reason == "None" else reason, elapsed, limit)


def _accounted(jobs: Collection[str]) -> Iterator[Job]:
    """Jobs that are over, from the accounts; without them from the log of completed jobs, which knows no tasks."""
    if not shutil.which("sacct"):
        return
    code, text, _ = _run(
        *("sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={_arrays(jobs)}"),
        "--format=JobID,State,ExitCode,Elapsed,Timelimit",
    )
    if code:
        single = _arrays(job for job in jobs if "_" not in job)
        if not single:
            return
        code, text, _ = _run(
            *("sacct", "--completion", "--noheader", "--parsable2", f"--jobs={single}"),
            "--format=JobID,State,ExitCode,Elapsed,Timelimit",
        )
    for line in text.splitlines() if not code else ():
        words = line.split("|")
        # That log says no state of a job whose name has a blank.
        if len(words) == 5 and words[1].strip() and "[" not in words[0] and _is_one_of(words[0], jobs):
            reason = LAUNCH_FAILED if words[2] == _NO_LAUNCH else ""
            yield Job(words[0], words[1].split()[0], reason, words[3], words[4], _exit_code(words[2]))


def _arrays(jobs: Iterable[str]) -> str:
    """Their numbers, without those of tasks: there may be thousands."""
    return ",".join(sorted({job.partition("_")[0] for job in jobs}))


def _exit_code(text: str) -> int | None:
    """``status:signal`` as a shell says it; None where the signal is a number of Slurm's own."""
    status, _, signal = text.partition(":")
    if not (status.isdecimal() and signal.isdecimal()):
        return None
    if int(signal) > _LAST_SIGNAL:
        return None
    return 128 + int(signal) if int(signal) else int(status)


def _run(*command: str) -> tuple[int, str, str]:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise SlurmIsSilent(f"{command[0]} did not answer within {PATIENCE_S:.0f} s") from None
    except OSError as error:
        raise SlurmIsSilent(f"{command[0]}: {error.strerror}") from None
    return done.returncode, done.stdout, done.stderr
