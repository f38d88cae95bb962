"""How runs stand when Slurm is asked too: those that wait, and those that Slurm ended without the run knowing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cfgc.runs.facts import Facts, State
from cfgc.runs.jobs import Jobs, Submission, jobs_of, submissions
from cfgc.runs.queue import GONE, RUNNING, WAITING, Job, SlurmIsSilent, ask_slurm, this_cluster
from cfgc_runtime.point import FOLDER

Ask = Callable[[Collection[str]], Mapping[str, Job]]


def with_jobs(runs: Sequence[Facts], ask: Ask = ask_slurm) -> tuple[list[Facts], str]:
    """``runs`` as Slurm knows them too, and why it was of no help, if it was not.

    A sweep is left out once points were started, unless some wait or run; points have facts of their own.
    """
    jobs = {run.path: jobs_of(run.path, _attempts(run)) for run in runs if run.state != "finished"}
    sweeps = {run.path: arrays for run in runs if run.state == "new" and (arrays := _arrays(run))}
    wanted = {job for mine in jobs.values() for job in (mine.submitted, mine.ran_in) if job} | {
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


def _attempts(run: Facts) -> Sequence[Mapping[str, Any]]:
    listed = run.identity.get("attempts")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _arrays(run: Facts) -> list[Submission]:
    return [one for one in submissions(run.path) if one.array]


def _known(run: Facts, jobs: Jobs, known: Mapping[str, Job]) -> Facts:
    job = _decisive(jobs, known)
    if job is None:
        return run
    is_last = job.id == jobs.ran_in
    if job.state in WAITING:
        return replace(run, job=job, state="queued", code=None, message="")
    if job.state in RUNNING:
        ends = is_last and (run.state in ("failed", "preempted") or job.state == "COMPLETING")
        return replace(run, job=job) if ends else replace(run, job=job, state="running", code=None, message="")
    return _ended(run, job, is_last)


def _decisive(jobs: Jobs, known: Mapping[str, Job]) -> Job | None:
    """The job that runs, else one that waits (the next of a chain was submitted before the one that runs), else the
    newer one."""
    alive = [job for name in (jobs.ran_in, jobs.submitted) if (job := known.get(name)) and not job.is_over]
    running = [job for job in alive if job.state in RUNNING]
    return next(iter([*running, *alive]), known.get(jobs.newer))


def _ended(run: Facts, job: Job, is_last: bool) -> Facts:
    """A run whose newest job is over. ``is_last``: its newest attempt ran in that job."""
    how = "Slurm does not know it any more" if job.state == GONE else f"it ended as {job.state}"
    if job.state == GONE and _is_elsewhere(run):
        return run
    if run.state == "running":
        message = f"the run did not hear of the end of its job {job.id}: {how}"
        return replace(run, job=job, state="killed", code=job.code or None, message=message)
    if run.state == "new" or not is_last:
        if job.state == "COMPLETED":
            return replace(run, job=job)
        state: State = "killed" if job.state in (GONE, "CANCELLED") else "failed"
        message = f"no attempt was started in job {job.id}: {how}; see the job's own log"
        return replace(run, job=job, state=state, code=job.code or None, message=message)
    return run if job.state == GONE else replace(run, job=job)


def _is_elsewhere(run: Facts) -> bool:
    """Whether it ran on another cluster than the one that is asked here."""
    slurm = _attempts(run)[-1].get("slurm") if _attempts(run) else None
    name = slurm.get("slurm_cluster_name") if isinstance(slurm, dict) else None
    return bool(name) and this_cluster() not in ("", name)


def _sweep(run: Facts, arrays: Sequence[Submission], known: Mapping[str, Job]) -> Facts:
    """All points together, as far as they wait or run."""
    ids = {one.id for one in arrays}
    tasks = [job for job in known.values() if job.id.partition("_")[0] in ids and not job.is_over]
    if not tasks:
        return run
    counts = Counter(job.state for job in tasks)
    said = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
    reasons = sorted({job.reason for job in tasks if job.reason and job.state in WAITING})
    state: State = "running" if any(job.state in RUNNING for job in tasks) else "queued"
    together = Job(",".join(sorted({job.id.partition("_")[0] for job in tasks}, key=int)), said, ", ".join(reasons))
    return replace(run, state=state, job=together)
