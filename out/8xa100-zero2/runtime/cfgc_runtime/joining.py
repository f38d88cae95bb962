"""Several machines without a scheduler: each is started by hand, and they find each other in the run directory.

Standard library only.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from cfgc_runtime.attempt import Attempt, attempts_of
from cfgc_runtime.config import load_config
from cfgc_runtime.errors import BAD_BUNDLE, FINISHED, PREEMPTED, USAGE, Failure, tell
from cfgc_runtime.lock import is_supervised
from cfgc_runtime.manifest import read_manifest
from cfgc_runtime.signals import StopRequest, block, ignore
from cfgc_runtime.stage import stage_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory

_POLL_S: Final = 0.5
_SILENCE_S: Final = 5.0


@dataclass(frozen=True)
class Hosts:
    """The machines of a run, node 0 first, and which of them this is."""

    names: tuple[str, ...]
    node_rank: int


def named_hosts(names: str, file: Path | None) -> tuple[str, ...]:
    """The names in a list with commas or blanks, or in a file with one a line. Raises ``Failure``."""
    if file is None:
        return tuple(names.replace(",", " ").split())
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise Failure(USAGE, f"--hosts-file {file} cannot be read: {error}") from None
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def find_host(names: Sequence[str], bundle: Path, node_rank: int | None) -> Hosts:
    """This machine among ``names``, by its name unless ``node_rank`` says it. Raises ``Failure``."""
    nodes = load_config(bundle / "config.py").TOPOLOGY.nodes
    if len(names) != nodes:
        raise Failure(USAGE, f"hosts named: {len(names)} ({', '.join(names)}); the plan is for {nodes} nodes")
    if node_rank is not None:
        if not 0 <= node_rank < nodes:
            raise Failure(USAGE, f"--node-rank {node_rank}: the nodes of this plan are 0 to {nodes - 1}")
        return Hosts(tuple(names), node_rank)
    own = socket.gethostname()
    found = [place for place, name in enumerate(names) if _short(name) == _short(own)]
    if len(found) == 1:
        return Hosts(tuple(names), found[0])
    how = f"is there {len(found)} times" if found else "is not one of them"
    raise Failure(USAGE, f"the hosts are {', '.join(names)}, and {own} {how}; say which this is: --node-rank K")


def join(bundle: Path, run: RunDirectory, hosts: Hosts, port: int, command: Sequence[str]) -> int:
    """Meet the other machines and become the supervisor of this one; an exit code when there is nothing to run.

    The first machine opens an attempt and says on which of its ports the ranks meet; the others wait for it.
    ``port`` 0 is a free one.
    """
    stop = StopRequest()
    stop.install()
    if hosts.node_rank == 0:
        tell(stage_bundle(bundle, run, hosts.names))
        meeting = _open(run, hosts, port) if not _finished(bundle, run) else None
    else:
        meeting = _await(bundle, run, hosts, stop)
    if meeting is None:
        ignore()
        return PREEMPTED if stop.requested and not _finished(bundle, run) else FINISHED
    block()  # a request that comes from here on waits for the supervisor, which listens
    if stop.requested:
        ignore()
        return PREEMPTED
    return _become_supervisor(run, hosts.node_rank, *meeting, command)


def _become_supervisor(run: RunDirectory, node_rank: int, address: str, port: str, command: Sequence[str]) -> NoReturn:
    # torchrun takes these for its options of the same names.
    os.environ |= {"PET_NODE_RANK": str(node_rank), "PET_MASTER_ADDR": address, "PET_MASTER_PORT": port}
    runtime = [sys.executable, "-B", str(run.bundle / "runtime"), "node", "--run-dir", str(run.root)]
    os.execv(sys.executable, [*runtime, "--node-rank", str(node_rank), "--", *command])


def _open(run: RunDirectory, hosts: Hosts, port: int) -> tuple[str, str]:
    """Say where the ranks of the newest attempt meet."""
    meeting = (hosts.names[0], str(port or _free_port()))
    place = attempts_of(run)[-1].meeting
    part = place.with_name(".meeting")
    part.write_text(" ".join(meeting) + "\n", encoding="utf-8")
    part.rename(place)
    return meeting


def _await(bundle: Path, run: RunDirectory, hosts: Hosts, stop: StopRequest) -> tuple[str, str] | None:
    """Where the ranks of the attempt meet that the first machine has open; None when the run is over."""
    told, since = False, time.monotonic()
    while not stop.requested and not _finished(bundle, run):
        for attempt in attempts_of(run)[-1:]:
            if _is_open(attempt, run):
                _check_same(bundle, run)
                address, port = attempt.meeting.read_text(encoding="utf-8").split()
                return address, port
        if not told and time.monotonic() - since > _SILENCE_S:
            told = True
            tell(f"waiting for {hosts.names[0]}: start the same command there, with the same run directory {run.root}")
        time.sleep(_POLL_S)
    return None


def _is_open(attempt: Attempt, run: RunDirectory) -> bool:
    """Whether the first machine is up in ``attempt``, and nothing has ended in it yet."""
    return attempt.meeting.exists() and not attempt.exits() and is_supervised(run, "0")


def _check_same(bundle: Path, run: RunDirectory) -> None:
    """Raise ``Failure`` when the first machine runs another plan than the bundle here."""
    here, there = read_manifest(bundle).plan_digest, read_manifest(run.bundle).plan_digest
    if here != there:
        raise Failure(BAD_BUNDLE, f"{run.bundle} is of another plan than {bundle}: start the same bundle everywhere")


def _finished(bundle: Path, run: RunDirectory) -> bool:
    return run.read_finished(load_config(bundle / "config.py").PLAN_DIGEST) is not None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])


def _short(name: str) -> str:
    """A host's name without its domain; an address stays whole."""
    return name if name.replace(".", "").isdigit() else name.partition(".")[0].lower()
