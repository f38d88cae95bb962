"""Run torchrun on this node, or a single rank: pass stop signals on and bring home the true exit code.

Standard library only.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from cfgc_runtime.attempt import Attempt, newest_attempt
from cfgc_runtime.config import is_task, load_config
from cfgc_runtime.errors import FINISHED, HUNG, LOST_PEER, PREEMPTED, USAGE, Failure, tell
from cfgc_runtime.flight import ask_for_records
from cfgc_runtime.hang import Hang, Watchdog, dump_stacks
from cfgc_runtime.limits import make_temporary_directory, raise_limits
from cfgc_runtime.lock import supervising
from cfgc_runtime.manifest import DELETE, read_manifest, verify_bundle
from cfgc_runtime.mourning import ENDED_FOR_ANOTHER, Mourner
from cfgc_runtime.outcome import report, report_share
from cfgc_runtime.preflight.presence import Presence
from cfgc_runtime.preparing import prepared
from cfgc_runtime.retreat import ENDED_EARLY, Retreat
from cfgc_runtime.rundir import RUN_DIR_VARIABLE
from cfgc_runtime.share import Share, await_word, ranks_of_node
from cfgc_runtime.signals import END_SIGNAL, StopRequest, block, die_with_parent, ignore, send

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory

ATTEMPT_VARIABLE = "CFGC_ATTEMPT"
_POLL_S = 0.2
_DEAF_S = 5.0
"""What a launcher gets to end in, once it was asked to and has no ranks left."""


def supervise_node(bundle: Path, run: RunDirectory, share: Share, command: Sequence[str]) -> int:
    """Run ``command`` (torchrun, or a single rank) in an attempt; the exit code of the rank that decided the outcome.

    USR2, TERM and INT ask the ranks to save and stop; a second INT gives up at once.
    """
    if not command:
        raise Failure(USAGE, "node: the command is missing after `--`")
    stop = StopRequest()
    stop.install()
    manifest = verify_bundle(bundle, DELETE) if share.leads_node else read_manifest(bundle)
    if run.read_finished(manifest.plan_digest) is not None:
        return FINISHED
    started = time.monotonic()
    with supervising(run, share.name) as locks, ExitStack() as until_the_end:
        # None can be opened from here on, so that the newest is the same one on every node.
        attempt = Attempt(run.attempts / share.attempt) if share.attempt else newest_attempt(run)
        if not share.leads_node and not await_word(attempt, share.node_rank):
            return LOST_PEER
        config = load_config(bundle / "config.py")
        topology = config.TOPOLOGY
        ranks = share.ranks(topology)
        with _failing_openly(attempt, ranks):
            raise_limits(config.LAUNCH.limits)
            make_temporary_directory()
            variables = until_the_end.enter_context(prepared(bundle, config, run, attempt, share, stop))
            launcher = _launch(command, run, attempt, share, {**share.variables(topology), **variables}, locks)
        watchdog = Watchdog(attempt, topology.world_size, config.LAUNCH.watchdog_s, topology.timeout_s)
        presence = Presence(attempt, topology.world_size) if share.leads else None
        retreat = None if is_task(config) else Retreat(attempt, topology.world_size)
        here = ranks_of_node(share.node_rank, topology)
        record = partial(ask_for_records, variables)
        status = _wait(launcher, attempt, ranks, here, stop, watchdog, presence, retreat, record, share.node_rank)
        ignore()
        _note_taking(stop, attempt, share.node_rank)
        if status > 0:  # a signal ended its ranks with torchrun
            Mourner(attempt).record(attempt.running(ranks))
        log = attempt.log(f"node-{share.name}")
        if share.attempt:
            return report_share(attempt, status, ranks, log)
        code = report(attempt, status, range(topology.world_size), "torchrun", log)
    if code == FINISHED and share.leads and is_task(config):  # training says so itself
        run.write_finished(config.PLAN_DIGEST, time.monotonic() - started, step=0)
    return code


@contextmanager
def _failing_openly(attempt: Attempt, ranks: range) -> Iterator[None]:
    """A ``Failure`` is told to the supervisors of the other ranks, which would wait for these."""
    try:
        yield
    except Failure as failure:
        attempt.record_exit(ranks.start, failure.code, f"{socket.gethostname()}: {failure}")
        raise


def _launch(
    command: Sequence[str],
    run: RunDirectory,
    attempt: Attempt,
    share: Share,
    variables: Mapping[str, str],
    locks: tuple[int, int],
) -> subprocess.Popen[bytes]:
    """Start the launcher in a session of its own, so that Ctrl-C reaches the ranks only as a request to save.

    It inherits the ``locks``, so that they stay held while it ends its ranks after the supervisor was killed.
    """
    own = {RUN_DIR_VARIABLE: str(run.root), ATTEMPT_VARIABLE: attempt.path.name, "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **own, **variables}
    with attempt.log(f"node-{share.name}").open("wb") as log:
        try:
            return subprocess.Popen(
                list(command),
                env=environment,
                stderr=log,
                pass_fds=locks,
                start_new_session=True,
                preexec_fn=_before_torchrun if share.local_rank is None else _before_rank,  # noqa: PLW1509 - no threads here
            )
        except OSError as error:
            raise Failure(USAGE, f"{command[0]} cannot be started: {error.strerror}") from None


def _before_rank() -> None:
    """A rank takes stop signals once it listens, those that came before too."""
    die_with_parent(signal.SIGKILL)
    block()


def _before_torchrun() -> None:
    """Slurm sends USR2 and TERM to every process of a step, and torchrun would end its ranks, or die of it."""
    signal.signal(END_SIGNAL, signal.SIG_DFL)  # nohup ignores it
    die_with_parent(END_SIGNAL)
    block()


def _wait(
    launcher: subprocess.Popen[bytes],
    attempt: Attempt,
    ranks: range,
    here: range,
    stop: StopRequest,
    watchdog: Watchdog,
    presence: Presence | None,
    retreat: Retreat | None,
    record: Callable[[Collection[int]], None],
    node_rank: int,
) -> int:
    """Wait for the launcher; a stop request reaches each of its ``ranks`` as soon as it has recorded its process id.

    ``here`` are all ranks on this node.
    """
    told: set[int] = set()
    mourner, asked = Mourner(attempt), 0.0
    while True:
        try:
            return launcher.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            running = attempt.running(ranks)
            mourner.look(running)
            _note_taking(stop, attempt, node_rank)
            for pid in set(running.values()) - told if stop.requested else ():
                send(pid, signal.SIGUSR2)
                told.add(pid)
            if over := _why_over(stop, mourner, retreat):
                _end_ranks(attempt, ranks, *over)
                if stop.interrupts > 1 or not running:
                    if not asked:
                        launcher.send_signal(END_SIGNAL)
                    asked = asked or time.monotonic()
                    if time.monotonic() - asked > _DEAF_S:  # it waits for torchrun on another node, five minutes
                        launcher.kill()
            if presence and (line := presence.look()):
                tell(line)
            if hang := watchdog.look(running):
                record(running)
                _end(hang, attempt, attempt.running(here))


def _note_taking(stop: StopRequest, attempt: Attempt, node_rank: int) -> None:
    """Whoever decides about the next start should know that this attempt was taken away from the run, and who heard."""
    if not stop.taken_away:
        return
    with suppress(OSError):
        if not attempt.told(node_rank).exists():
            attempt.told(node_rank).touch()
        if not attempt.taken.exists() and not attempt.has_failed:
            attempt.taken.touch()


def _why_over(stop: StopRequest, mourner: Mourner, retreat: Retreat | None) -> tuple[int, str] | None:
    """How the ranks that are left end now, and a sentence; (0, "") when they say it themselves, None if they go on."""
    if stop.interrupts > 1:
        return FINISHED, ""
    if mourner.is_over():
        return LOST_PEER, ENDED_FOR_ANOTHER
    if retreat and retreat.is_due(asked=stop.requested or mourner.has_stopped):
        return PREEMPTED, ENDED_EARLY
    return None


def _end_ranks(attempt: Attempt, ranks: range, code: int, sentence: str) -> None:
    """Also those that said their end, and do not come to it."""
    started = attempt.started(ranks)
    for rank in ranks if code == PREEMPTED else started if code else ():
        attempt.record_exit(rank, code, sentence)
    for pid in started.values():
        send(pid, signal.SIGKILL)


def _end(hang: Hang, attempt: Attempt, running: Mapping[int, int]) -> None:
    """Keep the stacks of every rank on this node in its log, and end the one that hangs; the others follow it."""
    attempt.record_exit(hang.rank, HUNG, f"{hang.sentence}; the stacks of each rank are in its log")
    for rank, pid in running.items():
        if rank != hang.rank:
            dump_stacks(attempt.log(f"rank-{rank}"), pid)
    send(running[hang.rank], signal.SIGKILL)
