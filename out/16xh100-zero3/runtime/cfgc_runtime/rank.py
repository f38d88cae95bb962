"""One rank: a parent that torchrun sees and that outlives the training child, to record how it really ended.

The fork comes before torch is imported. Standard library only, up to the child's import of the training code.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, TextIO

from cfgc_runtime.attempt import Attempt, newest_attempt, shell_code
from cfgc_runtime.errors import BAD_CHECKPOINT, FINISHED, INTERNAL, LOST_PEER, PREEMPTED, Failure
from cfgc_runtime.signals import STOP_SIGNALS, StopRequest, block, die_with_parent, send, unblock
from cfgc_runtime.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory

_LOST_PEER_SIGNS = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Socket closed")


def run_rank(bundle: Path, run: RunDirectory) -> int:
    """Train in a child process; returns what torchrun should see: 0 for finished and for preempted."""
    die_with_parent(signal.SIGKILL)
    world = World.from_environment()
    attempt = newest_attempt(run)
    screen = _send_output_to(attempt.log(f"rank-{world.rank}"))
    block()
    child = os.fork()
    if child == 0:
        os._exit(_train(bundle, run, world, attempt, screen))
    attempt.record_pid(world.rank, world.node_rank, child)
    _forward_signals(child, attempt)
    _, status = os.waitpid(child, 0)
    code = shell_code(os.waitstatus_to_exitcode(status))
    attempt.record_exit(world.rank, code)
    return FINISHED if code == PREEMPTED else code


def _send_output_to(log: Path) -> TextIO:
    """The terminal, for progress; whatever libraries print goes to ``log`` from now on."""
    screen = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8", errors="replace")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    return screen


def _forward_signals(child: int, attempt: Attempt) -> None:
    """Stop signals become a request to save, except when a rank has failed: torchrun then wants the others gone."""

    def handle(_number: int, _frame: object) -> None:
        failed = any(found.code not in (FINISHED, PREEMPTED) for found in attempt.exits())
        send(child, signal.SIGKILL if failed else signal.SIGUSR2)

    for number in STOP_SIGNALS:
        signal.signal(number, handle)
    unblock()


def _train(bundle: Path, run: RunDirectory, world: World, attempt: Attempt, screen: TextIO) -> int:
    """The child: train, and record a failure at once, before the other ranks notice broken connections."""
    code, message = INTERNAL, ""
    try:
        die_with_parent(signal.SIGKILL)
        stop = StopRequest()
        stop.install()
        from cfgc_runtime.train import train

        code = train(bundle, run, world, stop, screen)
    except Failure as failure:
        code, message = failure.code, str(failure)
    except BaseException as error:
        traceback.print_exc()
        code, message = _classify(error)
    if code not in (FINISHED, PREEMPTED):
        attempt.record_exit(world.rank, code, message)
    for stream in (sys.stdout, sys.stderr, screen):
        stream.flush()
    return code


def _classify(error: BaseException) -> tuple[int, str]:
    """Exit code and sentence for an error that nobody expected."""
    text = f"{type(error).__name__}: {error}".strip()
    if isinstance(error, RuntimeError) and any(sign in text for sign in _LOST_PEER_SIGNS):
        return LOST_PEER, text.splitlines()[0]
    if isinstance(error, OSError):
        return BAD_CHECKPOINT, text
    return INTERNAL, text
