"""Starting and stopping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.ending import MINUTE, needed_to_save, requeues, shutdown_grace_of, signal_lead_of
from cfgc.schema.units import format_duration
from cfgc.validate.rules.finding import At, count, error, is_default, warning
from cfgc.validate.rules.wall_time import GRACE, LEAD, LIMIT, computed

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

RANKS, TIMEOUT = "launch.gpus_per_node", "launch.timeout"

YEAR = 365 * 86_400


def node_has_the_gpus(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG601: a node has as many GPUs as ranks are started on it."""
    ranks, devices = spec.launch.gpus_per_node, spec.hardware.gpus_per_node_max
    if devices == 0 or ranks <= devices or spec.hardware.device == "cpu":
        return
    total = ranks * spec.launch.nodes
    yield error(
        "CFG601",
        f"{count(ranks, 'rank')} on a node that has {count(devices, 'GPU')}",
        resolved,
        [At(RANKS, f"{ranks} on each node"), At("hardware.gpus_per_node_max", f"{devices} in a node")],
        (f"`gpus_per_node` counts the GPUs of one node, not of all: {spec.launch.nodes} × {ranks} = {total}",),
        (f"set `gpus_per_node = {devices}` and `nodes = {-(-total // devices)}`",),
    )


def signal_comes_in_time(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG602: the signal to save comes after the start."""
    lead, limit = signal_lead_of(spec.launch), spec.launch.time_limit
    if lead < limit:
        return
    yield error(
        "CFG602",
        "the signal to save would come before the run starts",
        resolved,
        [At(LEAD, f"{format_duration(lead)} before the end"), At(LIMIT, f"{format_duration(limit)} in all")],
        computed(spec.launch, LEAD),
        _shorter_or_longer(spec),
    )


def save_has_its_time(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG603: the time left after the signal is what ranks may take to save."""
    lead, grace = signal_lead_of(spec.launch), shutdown_grace_of(spec.launch)
    if lead >= grace or lead >= spec.launch.time_limit:
        return
    yield warning(
        "CFG603",
        "the job may end while ranks are still saving",
        resolved,
        [At(LEAD, f"{format_duration(lead)} left to save"), At(GRACE, f"a save may take {format_duration(grace)}")],
        (
            *computed(spec.launch, LEAD, GRACE),
            "Slurm looks at the clock about twice a minute, so that the signal can be half a minute late too",
        ),
        (_time_to_save(spec),),
    )


def run_stays_out_of_the_bundle(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG606: a run writes to a directory of its own, never into a bundle."""
    path, name = spec.launch.run_dir, spec.experiment.name
    if path is None or path.base not in ("cwd", "absolute"):
        return
    parts = [part for part in path.path.split("/") if part not in ("", ".")]
    if parts and (path.base == "absolute" or parts[:2] != ["out", name]):
        return
    place = "the root of the file system" if path.base == "absolute" else "the start directory itself"
    yield error(
        "CFG606",
        "the run directory would be in the bundle" if parts else f"the run directory is {place}",
        resolved,
        [At("launch.run_dir", "the bundle is in `out/`" if parts else "not a directory of its own")],
        ("a bundle with files that its manifest does not list is refused when the run starts",) if parts else (),
        (f'set `run_dir = "runs/{name}"`, or drop it: that is the default',),
    )


def time_limit_is_whole(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG607: Slurm counts minutes."""
    limit = spec.launch.time_limit
    if limit % 60 == 0:
        return
    whole = -(-limit // 60) * 60
    yield warning(
        "CFG607",
        "Slurm counts whole minutes, and gives the run more time than the spec says",
        resolved,
        [At(LIMIT, f"{format_duration(limit)}, on Slurm {format_duration(whole)}")],
        (),
        (f'set `time_limit = "{format_duration(whole)}"`',),
    )


def time_limit_ends(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG614: a limit that is longer than a year is a slip of units."""
    limit = spec.launch.time_limit
    if limit <= YEAR:
        return
    yield error(
        "CFG614",
        "the time limit is longer than a year",
        resolved,
        [At(LIMIT, f"{limit // 86_400:,} days")],
        ("a number without a unit is in seconds",),
        ('write a unit: `time_limit = "24:00:00"`, `"90min"` or `"2d"`',),
    )


def collectives_give_up(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG615: a hang ends before the wall-time limit does."""
    timeout, limit = spec.launch.timeout, spec.launch.time_limit
    if timeout < limit or is_default(TIMEOUT, timeout):
        return
    yield warning(
        "CFG615",
        "ranks wait for a lost peer until the time limit",
        resolved,
        [At(TIMEOUT, format_duration(timeout)), At(LIMIT, format_duration(limit))],
        ("a rank that hangs costs the whole allocation until it is noticed",),
        (f'set `timeout = "{format_duration(max(limit // 4, 1))}"`',),
    )


def attempts_match_requeue(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG612: the number of starts and the permission to requeue agree."""
    attempts, requeue = spec.launch.max_attempts, requeues(spec) or spec.cluster.chain
    if requeue == (attempts > 1):
        return
    said = "may start again" if requeue else "never starts again"
    yield warning(
        "CFG612",
        f"a job that {said} has {count(attempts, 'attempt')}",
        resolved,
        [
            At("cluster.chain" if spec.cluster.chain else "cluster.requeue", said),
            At("launch.max_attempts", count(attempts, "start")),
        ],
        (),
        (
            f"set `cluster.{'chain' if spec.cluster.chain else 'requeue'} = false`"
            if requeue
            else "set `launch.max_attempts = 1`, or `cluster.requeue = true`",
        ),
    )


def _shorter_or_longer(spec: AnySpec) -> Iterator[str]:
    """A lead that the limit has room for, with a save that the lead has room for; and a limit for the lead."""
    lead, limit, grace = signal_lead_of(spec.launch), spec.launch.time_limit, shutdown_grace_of(spec.launch)
    need = needed_to_save(spec.launch)
    shorter = max(MINUTE // 2, limit // 5)
    is_enough = limit > MINUTE and need <= shorter // 2 and need <= limit - shorter
    if is_enough:
        yield f'set `signal_lead = "{_short(shorter)}"`' + (
            f' and `shutdown_grace = "{_short(shorter // 2)}"`' if grace > shorter else ""
        )
    longer = -(-max(2 * lead, 2 * grace, need + lead) // MINUTE) * MINUTE
    yield f'{"or " if is_enough else ""}set `time_limit = "{format_duration(longer)}"`'


def _time_to_save(spec: AnySpec) -> str:
    """More time after the signal where the limit has it, else a save that may take less."""
    lead, limit, grace = signal_lead_of(spec.launch), spec.launch.time_limit, shutdown_grace_of(spec.launch)
    if grace + MINUTE < limit:
        return f'set `signal_lead = "{_short(grace + MINUTE)}"`'
    return f'set `shutdown_grace = "{_short(max(1, lead // 2))}"`'


def _short(seconds: int) -> str:
    return f"{seconds // 60}min" if seconds % 60 == 0 else f"{seconds}s"
