"""Whose processes use a run directory, as its records say. Standard library only."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from cfgc_runtime.attempt import attempts_of
from cfgc_runtime.identity import read_identity
from cfgc_runtime.signals import is_alive

if TYPE_CHECKING:
    from cfgc_runtime.attempt import Attempt
    from cfgc_runtime.rundir import RunDirectory


def how_to_stop(run: RunDirectory) -> str:
    """The end of a sentence: what to signal so that ``run`` saves; empty when no rank is known to live.

    Any rank will do, since they agree on it.
    """
    for attempt in attempts_of(run)[-1:]:
        for rank, (node, pid) in sorted(attempt.processes().items()):
            host = _host(run, attempt, node)
            if host != socket.gethostname() or _is_rank(pid):
                return f", or have it save and stop: kill -USR2 {pid} (rank {rank}{f', on {host}' if host else ''})"
    return ""


def _host(run: RunDirectory, attempt: Attempt, node: int) -> str:
    """The machine of a node; who started the attempt says it of the first one where nobody named them."""
    hosts = attempt.hosts()
    if node < len(hosts):
        return hosts[node]
    known = [entry.get("host") for entry in read_identity(run).attempts if entry.get("number") == attempt.number]
    return str(known[0]) if known and known[0] and node == 0 else ""


def _is_rank(pid: int) -> bool:
    """Whether ``pid``, on this machine, is still that of a rank."""
    try:
        return is_alive(pid) and b"runtime" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
