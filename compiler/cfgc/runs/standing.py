"""How runs stand when Slurm is asked too: those that wait, and those that Slurm ended without the run knowing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from cfgc.runs.ending import attempts_in, ended, in_vain, never_started
from cfgc.runs.facts import Facts, State
from cfgc.runs.jobs import Jobs, Submission, jobs_of, submissions
from cfgc.runs.queue import RUNNING, WAITING, Job, SlurmIsSilent, ask_slurm
from cfgc_runtime.point import FOLDER

_WORST = ("failed", "killed", "cancelled", "skipped")
"""States of points that were never started, that of the whole sweep first."""

Ask = Callable[[Collection[str]], Mapping[str, Job]]


def with_jobs(runs: Sequence[Facts], ask: Ask = ask_slurm) -> tuple[list[Facts], str]:
    """``runs`` as Slurm knows them too, and why it was of no help, if it was not.

    A sweep is left out once points were started, unless some wait or run; points have facts of their own.
    """
    jobs = {run.path: jobs_of(run.path, attempts_in(run)) for run in runs if run.state != "finished"}
    sweeps = {run.path: arrays for run in runs if run.state == "new" and (arrays := _arrays(run))}
    wanted = {job for mine in jobs.values() for job in (mine.submitted, mine.ran_in, *mine.needs) if job} | {
        one.id for arrays in sweeps.values() for one in arrays
    }
    try:
        known, problem = ask(wanted), ""
    except SlurmIsSilent as silence:
        known, problem = {}, str(silence)
    found = []
    for run in runs:
        if run.path in sweeps:
            run = _sweep(run, sweeps[run.path], known)  # noqa: PLW2901 - the same run, better known
        elif run.path in jobs:
            run = _known(run, jobs[run.path], known)  # noqa: PLW2901
        if run.path not in sweeps or run.job or not (run.path / FOLDER).is_dir():
            found.append(run)
    return found, problem


def _arrays(run: Facts) -> list[Submission]:
    return [one for one in submissions(run.path) if one.array]


def _known(run: Facts, jobs: Jobs, known: Mapping[str, Job]) -> Facts:
    job = _decisive(jobs, known)
    if job is None:
        return run
    is_last = job.id == jobs.ran_in
    if job.state in WAITING:
        runs_by_hand = run.state == "running" and not jobs.ran_in
        return replace(run, job=job) if runs_by_hand else replace(run, job=job, state="queued", code=None, message="")
    if job.state in RUNNING:
        ends = is_last and (run.state in ("failed", "preempted") or job.state == "COMPLETING")
        return replace(run, job=job) if ends else replace(run, job=job, state="running", code=None, message="")
    if is_last:
        return ended(run, job)
    needs = [known[need] for need in jobs.needs if need in known]
    return never_started(run, job, needs) if run.state == "new" else in_vain(run, job, known.get(jobs.ran_in))


def _decisive(jobs: Jobs, known: Mapping[str, Job]) -> Job | None:
    """The job that runs, else one that waits (the next of a chain was submitted before the one that runs), else the
    newer one."""
    alive = [job for name in (jobs.ran_in, jobs.submitted) if (job := known.get(name)) and not job.is_over]
    running = [job for job in alive if job.state in RUNNING]
    return next(iter([*running, *alive]), known.get(jobs.newer))


def _sweep(run: Facts, arrays: Sequence[Submission], known: Mapping[str, Job]) -> Facts:
    """All points together, as far as they wait or run; where none was ever started, how their jobs ended."""
    ids = {one.id for one in arrays}
    every = [job for job in known.values() if job.id.partition("_")[0] in ids]
    tasks = [job for job in every if not job.is_over]
    if not tasks:
        return run if (run.path / FOLDER).is_dir() else _none_started(run, arrays, every)
    counts = Counter(job.state for job in tasks)
    said = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
    reasons = sorted({job.reason for job in tasks if job.reason and job.state in WAITING})
    state: State = "running" if any(job.state in RUNNING for job in tasks) else "queued"
    together = Job(",".join(sorted({job.id.partition("_")[0] for job in tasks}, key=int)), said, ", ".join(reasons))
    return replace(run, state=state, job=together)


def _none_started(run: Facts, arrays: Sequence[Submission], tasks: Sequence[Job]) -> Facts:
    """A sweep whose newest array is over, and that has no point: as one of its tasks ended, the worst first."""
    newest = max(arrays, key=lambda one: one.at)
    mine = [job for job in tasks if job.id.partition("_")[0] == newest.id]
    if not mine:
        return run
    stands = [never_started(run, job, ()) for job in mine]
    worst = next((one for state in _WORST for one in stands if one.state == state), run)
    counts = Counter(job.state for job in mine)
    said = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
    return replace(worst, job=Job(newest.id, said, code=worst.code))
