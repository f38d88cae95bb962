"""Run torchrun on this node: pass stop signals to the ranks and bring home the true exit code.

Standard library only.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from cfgc_runtime.attempt import Attempt, newest_attempt, shell_code, verdict
from cfgc_runtime.config import is_task, load_config
from cfgc_runtime.errors import FINISHED, HUNG, PREEMPTED, USAGE, Failure, meaning, tell
from cfgc_runtime.hang import Hang, Watchdog, dump_stacks
from cfgc_runtime.limits import make_temporary_directory, raise_limits
from cfgc_runtime.lock import supervising
from cfgc_runtime.manifest import DELETE, verify_bundle
from cfgc_runtime.mourning import Mourner
from cfgc_runtime.preflight.finding import settle
from cfgc_runtime.preflight.node import check_node
from cfgc_runtime.preflight.presence import Presence
from cfgc_runtime.signals import StopRequest, die_with_parent, ignore, send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cfgc_runtime.config import Config
    from cfgc_runtime.rundir import RunDirectory

RUN_DIR_VARIABLE = "CFGC_RUN_DIR"
ATTEMPT_VARIABLE = "CFGC_ATTEMPT"
_POLL_S = 0.2
_LOG_LINES = 15


def supervise_node(bundle: Path, run: RunDirectory, node_rank: int, command: Sequence[str]) -> int:
    """Run ``command`` (torchrun) in the newest attempt; the exit code of the rank that decided the outcome.

    USR2, TERM and INT ask the ranks to save and stop; a second INT gives up at once.
    """
    if not command:
        raise Failure(USAGE, "node: the torchrun command is missing after `--`")
    stop = StopRequest()
    stop.install()
    manifest = verify_bundle(bundle, DELETE)
    if run.read_finished(manifest.plan_digest) is not None:
        return FINISHED
    started = time.monotonic()
    config = load_config(bundle / "config.py")
    topology, launch = config.TOPOLOGY, config.LAUNCH
    raise_limits(launch.limits)
    make_temporary_directory()
    with supervising(run, node_rank) as locks:
        attempt = newest_attempt(run)  # none can be opened from here on, so it is the same one on every node
        ranks = range(node_rank * topology.ranks_per_node, (node_rank + 1) * topology.ranks_per_node)
        for rank in ranks:
            attempt.reserve(rank)
        if node_rank > 0:  # `stage` has looked at the first node
            _check(bundle, config, run, attempt, ranks)
        launcher = _launch(command, run, attempt, node_rank, locks)
        watchdog = Watchdog(attempt, topology.world_size, launch.watchdog_s, topology.timeout_s)
        presence = Presence(attempt, topology.world_size) if node_rank == 0 else None
        status = _wait(launcher, attempt, node_rank, stop, watchdog, presence)
        ignore()
        if status > 0:  # a signal ended its ranks with torchrun
            Mourner(attempt).record(attempt.running(node_rank))
        code = _report(attempt, status, topology.world_size, node_rank)
    if code == FINISHED and node_rank == 0 and is_task(config):  # training says so itself
        run.write_finished(config.PLAN_DIGEST, time.monotonic() - started, step=0)
    return code


def _check(bundle: Path, config: Config, run: RunDirectory, attempt: Attempt, ranks: range) -> None:
    """Raise ``Failure`` when this node cannot train; the other nodes, which wait for it, are told."""
    try:
        settle(check_node(bundle, config, run))
    except Failure as failure:
        attempt.record_exit(ranks.start, failure.code, f"{socket.gethostname()}: {failure}")
        raise


def _launch(
    command: Sequence[str], run: RunDirectory, attempt: Attempt, node_rank: int, locks: tuple[int, int]
) -> subprocess.Popen[bytes]:
    """Start torchrun in a session of its own, so that Ctrl-C reaches the ranks only as a request to save.

    It inherits the ``locks``, so that they stay held while it ends its ranks after the supervisor was killed.
    """
    own = {RUN_DIR_VARIABLE: str(run.root), ATTEMPT_VARIABLE: attempt.path.name, "PYTHONDONTWRITEBYTECODE": "1"}
    environment = os.environ | own
    with attempt.log(f"node-{node_rank}").open("wb") as log:
        try:
            return subprocess.Popen(
                list(command),
                env=environment,
                stderr=log,
                pass_fds=locks,
                start_new_session=True,
                preexec_fn=_before_torchrun,  # noqa: PLW1509 - no threads here
            )
        except OSError as error:
            raise Failure(USAGE, f"{command[0]} cannot be started: {error.strerror}") from None


def _before_torchrun() -> None:
    """Slurm forwards USR2 to every process of a step, and torchrun would die of it."""
    die_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def _wait(
    launcher: subprocess.Popen[bytes],
    attempt: Attempt,
    node_rank: int,
    stop: StopRequest,
    watchdog: Watchdog,
    presence: Presence | None,
) -> int:
    """Wait for torchrun; a stop request reaches each rank as soon as it has recorded its process id."""
    told: set[int] = set()
    mourner = Mourner(attempt)
    while True:
        try:
            return launcher.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            running = attempt.running(node_rank)
            mourner.look(running)
            for pid in set(running.values()) - told if stop.requested else ():
                send(pid, signal.SIGUSR2)
                told.add(pid)
            if stop.interrupts > 1 or mourner.is_over():  # also those that said their end, and do not come to it
                started = attempt.started(node_rank)
                for pid in started.values():
                    send(pid, signal.SIGKILL)
                if stop.interrupts > 1 or not started:
                    launcher.terminate()
            if presence and (line := presence.look()):
                tell(line)
            if hang := watchdog.look(running):
                _end(hang, attempt, running)


def _end(hang: Hang, attempt: Attempt, running: Mapping[int, int]) -> None:
    """Keep every rank's stacks in its log, and end the one that hangs; torchrun ends the others then."""
    attempt.record_exit(hang.rank, HUNG, f"{hang.sentence}; the stacks of each rank are in its log")
    for rank, pid in running.items():
        if rank != hang.rank:
            dump_stacks(attempt.log(f"rank-{rank}"), pid)
    send(running[hang.rank], signal.SIGKILL)


def _report(attempt: Attempt, status: int, ranks: int, node_rank: int) -> int:
    """Say on stderr why it ended, unless it finished."""
    code, cause = verdict(attempt.exits(), status, ranks)
    if code == FINISHED:
        return code
    if code == PREEMPTED:
        tell(f"exit code {code}: {meaning(code)}")
        return code
    who = f"rank {cause.rank}" if cause else f"torchrun (exit code {shell_code(status)})"
    log = attempt.log(f"rank-{cause.rank}" if cause else f"node-{node_rank}")
    said = cause.message if cause and cause.message else _tail(log)
    tell(f"error: {who} failed with exit code {code}: {meaning(code)}\n{said}\nlog: {log}")
    return code


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log on this node"
    return "\n".join(f"  | {line}" for line in lines[-_LOG_LINES:])
