"""How a run stands whose newest job is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cfgc.runs.facts import Facts, State
from cfgc.runs.jobs import log_of
from cfgc.runs.queue import CANCELLED, GONE, LAUNCH_FAILED, NEED_FAILED, Job, this_cluster
from cfgc_runtime.errors import LOST_PEER

_BY_A_SIGNAL = 128


def attempts_in(run: Facts) -> Sequence[Mapping[str, Any]]:
    """The attempts that run.json lists."""
    listed = run.identity.get("attempts")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def ended(run: Facts, job: Job) -> Facts:
    """A run whose newest attempt ran in ``job``."""
    if job.state == GONE and (run.state != "running" or _is_elsewhere(run)):
        return run
    if job.state == CANCELLED and _gave_way(run):
        saved = "; it had saved: submit it again to go on" if run.state == "preempted" else ""
        return replace(run, job=job, state="cancelled", code=None, message=f"its job {job.id} was cancelled{saved}")
    if run.state == "running":
        message = f"the run did not hear of the end of its job {job.id}: {_how(job)}"
        return replace(run, job=job, state="killed", code=job.code or None, message=message)
    return replace(run, job=job)


def never_started(run: Facts, job: Job, needs: Sequence[Job]) -> Facts:
    """A run without an attempt, whose ``job`` waited for the jobs ``needs``."""
    if job.state == "COMPLETED":
        return replace(run, job=job)
    failed = [need for need in needs if need.is_over and need.state not in ("COMPLETED", GONE)]
    if job.reason == NEED_FAILED or (failed and job.state in (CANCELLED, GONE)):
        why = f"job {failed[0].id}, which it needs, ended as {failed[0].state}" if failed else "a job it needs failed"
        return replace(run, job=job, state="skipped", message=f"job {job.id} never started: {why}")
    if job.state == CANCELLED:
        message = f"job {job.id} was cancelled before the run began"
        return replace(run, job=job, state="cancelled", message=message)
    state: State = "killed" if job.state == GONE else "failed"
    return replace(run, job=job, state=state, code=job.code or None, message=_nothing_began(run, job))


def in_vain(run: Facts, job: Job, former: Job | None) -> Facts:
    """A run that has attempts, the newest in the job ``former`` or without Slurm: a later ``job``, which started none,
    changes nothing of how it stands, and has a line of its own in what is said of it."""
    run = ended(run, former) if former and former.is_over else run
    if (job.state == GONE and _is_elsewhere(run)) or job.state == "COMPLETED":
        return run
    return replace(run, message="\n".join(filter(None, [run.message, _nothing_began(run, job)])))


def _nothing_began(run: Facts, job: Job) -> str:
    said = f"no attempt was started in job {job.id}: {_how(job)}"
    if job.reason != LAUNCH_FAILED:
        return f"{said}; see the job's own log"
    return " ".join(filter(None, [said, log_of(run.path, job.id)]))


def _gave_way(run: Facts) -> bool:
    """Whether it ended as one does that is asked or made to end, and not by a failure of its own."""
    by_force = run.state == "failed" and run.code is not None and (run.code > _BY_A_SIGNAL or run.code == LOST_PEER)
    return by_force or run.state in ("running", "preempted", "killed")


def _how(job: Job) -> str:
    if job.state == GONE:
        return "Slurm does not know any more how it ended"
    if job.reason == LAUNCH_FAILED:
        return "Slurm could not start the script, or open its log"
    return f"it ended as {job.state}" + (f" with exit code {job.code}" if job.code else "")


def _is_elsewhere(run: Facts) -> bool:
    """Whether it ran on another cluster than the one that is asked here."""
    attempts = attempts_in(run)
    slurm = attempts[-1].get("slurm") if attempts else None
    name = slurm.get("slurm_cluster_name") if isinstance(slurm, dict) else None
    return bool(name) and this_cluster() not in ("", name)
