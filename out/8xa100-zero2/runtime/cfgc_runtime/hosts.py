"""Which machines an attempt had, which of them failed it, and which ones the run keeps away from.

Standard library only.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cfgc_runtime.attempt import real_attempts, verdict
from cfgc_runtime.errors import BAD_BUNDLE, HUNG, LOST_PEER, USAGE, is_failure
from cfgc_runtime.mourning import is_wordless
from cfgc_runtime.signals import STOP_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping, Sequence

    from cfgc_runtime.attempt import Attempt
    from cfgc_runtime.rundir import RunDirectory

SILENT: Final = "silent"
"""Nothing was heard of it while another machine said that something failed."""
UNFIT, HUNG_THERE, KILLED = "unfit", "hung", "killed"
LOST: Final = "lost"
"""Slurm does not reach it, or it alone did not hear that the attempt was taken away, and it did not end as asked."""
_ASKED: Final = {128 + number for number in STOP_SIGNALS}
_OF_NO_MACHINE: Final = {USAGE, BAD_BUNDLE, *_ASKED}
"""A start that was refused, such as that of a run that is going on already, or stopped before its ranks were there."""


def record_hosts(attempt: Attempt, hosts: Sequence[str]) -> None:
    """Write down the machines of ``attempt``, the one of node 0 first."""
    if hosts:
        attempt.nodes.write_text("".join(f"{host}\n" for host in hosts), encoding="utf-8")


def suspects(
    run: RunDirectory, ranks_per_node: int, lost: Container[str] = (), *, over: bool = True
) -> Mapping[str, str]:
    """The machines that failed the last attempt, and how; none when it was more than half of them, or nobody knows.

    What all machines meet is not a machine's fault. ``lost`` are those that a scheduler lost, of whatever job. Of an
    attempt that is not ``over`` records may be missing, and only those can be told.
    """
    attempts = real_attempts(run)
    if not attempts:
        return {}
    attempt = attempts[-1]
    hosts, found = attempt.hosts(), {}
    for node, host in enumerate(hosts):
        ranks = range(node * ranks_per_node, (node + 1) * ranks_per_node)
        if host in lost and not _has_ended_well(attempt, ranks):
            found[host] = LOST
        elif over and (how := _fault(attempt, node, ranks)):
            found[host] = how
    return found if 2 * len(found) <= len(hosts) else {}


def _has_ended_well(attempt: Attempt, ranks: Collection[int]) -> bool:
    """Whether all ``ranks`` had finished or saved: what became of their machine later is another matter."""
    return {end.rank for end in attempt.exits() if not is_failure(end.code)} >= set(ranks)


def _fault(attempt: Attempt, node: int, ranks: range) -> str:
    exits = attempt.exits()
    here = [end for end in exits if end.rank in ranks]
    if not here:
        return SILENT if attempt.has_failed else LOST if _was_not_told(attempt, node) else ""
    _, cause = verdict(exits, LOST_PEER, ranks)
    if cause is None or cause.rank not in ranks:
        return ""
    if cause.code == HUNG:
        return HUNG_THERE
    if is_wordless(cause):
        return KILLED
    refused = cause.code in _OF_NO_MACHINE or not is_failure(cause.code)
    return "" if refused or attempt.started(ranks) else UNFIT


def _was_not_told(attempt: Attempt, node: int) -> bool:
    """Whether others heard that the attempt is taken away, and this ``node`` did not."""
    others = (attempt.told(other) for other in range(len(attempt.hosts())) if other != node)
    return not attempt.told(node).exists() and any(told.exists() for told in others)


def excluded(run: RunDirectory) -> list[str]:
    """The machines to keep away from, the oldest first."""
    with suppress(OSError):
        return run.excluded_nodes.read_text(encoding="utf-8", errors="replace").split()
    return []


def exclude(run: RunDirectory, hosts: Sequence[str], most: int) -> list[str]:
    """Add ``hosts`` to those that are excluded, and keep the ``most`` newest, so that the run can still start."""
    known = excluded(run)
    both = [*(host for host in known if host not in hosts), *hosts]
    kept = both[len(both) - most :] if 0 <= most < len(both) else both
    if kept != known:
        temporary = run.excluded_nodes.with_name(f".{run.excluded_nodes.name}")
        temporary.write_text("".join(f"{host}\n" for host in kept), encoding="utf-8")
        temporary.replace(run.excluded_nodes)
    return kept
