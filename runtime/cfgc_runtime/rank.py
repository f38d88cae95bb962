"""One rank: a parent that torchrun sees and that outlives the child at work, to record how it really ended.

The child trains, or runs the plan's task. The fork comes before torch or the user's code is imported. Standard library
only, up to the child's import of either.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from cfgc_runtime.attempt import Attempt, shell_code
from cfgc_runtime.binding import bind
from cfgc_runtime.config import is_task, load_config
from cfgc_runtime.errors import (
    BAD_CHECKPOINT,
    FINISHED,
    FULL,
    INTERNAL,
    LOST_PEER,
    PREEMPTED,
    Failure,
    describe_os_error,
    find_os_error,
    is_failure,
)
from cfgc_runtime.hang import DUMP_SIGNAL
from cfgc_runtime.lock import running
from cfgc_runtime.mourning import ENDED_FOR_ANOTHER, KILLED
from cfgc_runtime.pulse import IMPORTING, Pulse
from cfgc_runtime.signals import END_SIGNAL, STOP_SIGNALS, StopRequest, block, die_with_parent, ignore, send, unblock
from cfgc_runtime.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory

_LOST_PEER_SIGNS = (
    *("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Socket closed"),
    *("Timed out waiting", "Timed out after", "ncclRemoteError", "NCCL communicator was aborted"),
)
_TORCH_WRITER = re.compile(r"PytorchStreamWriter|inline_container")
_PROBE_SIZE = 1 << 20


def run_rank(bundle: Path, run: RunDirectory, attempt: Attempt) -> int:
    """Do the plan's work in a child process; returns what torchrun should see: 0 for finished and for preempted."""
    die_with_parent(signal.SIGKILL)
    world = World.from_environment()
    bind(load_config(bundle / "config.py").LAUNCH.cpu_binding, world)
    with running(run):
        screen = _send_output_to(attempt.log(f"rank-{world.rank}"))
        return _supervise_training(bundle, run, world, attempt, screen)


def _supervise_training(bundle: Path, run: RunDirectory, world: World, attempt: Attempt, screen: TextIO) -> int:
    block()
    child = os.fork()
    if child == 0:
        os._exit(_train(bundle, run, world, attempt, screen))
    attempt.record_pid(world.rank, world.node_rank, child)
    mourned = _forward_signals(child, attempt)
    _, status = os.waitpid(child, 0)
    ignore()  # requests are repeated, and one that came while this interpreter ends would kill it
    code = shell_code(os.waitstatus_to_exitcode(status))
    if mourned and code == KILLED:
        attempt.record_exit(world.rank, LOST_PEER, ENDED_FOR_ANOTHER)
    attempt.record_exit(world.rank, code)
    return FINISHED if code == PREEMPTED else code


def _send_output_to(log: Path) -> TextIO:
    """The terminal, for progress; whatever libraries print goes to ``log`` from now on."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    screen = os.fdopen(os.dup(1), "w", buffering=1, encoding=encoding, errors="replace")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    return screen


def _forward_signals(child: int, attempt: Attempt) -> list[int]:
    """Stop signals become a request to save, except when a rank has failed: torchrun then wants the others gone.

    The list is empty as long as the child was not killed for that.
    """
    mourned: list[int] = []

    def handle(_number: int, _frame: object) -> None:
        if attempt.has_failed:
            mourned.append(child)
            send(child, signal.SIGKILL)
        else:
            send(child, signal.SIGUSR2)

    for number in (*STOP_SIGNALS, END_SIGNAL):
        signal.signal(number, handle)
    unblock()
    return mourned


def _train(bundle: Path, run: RunDirectory, world: World, attempt: Attempt, screen: TextIO) -> int:
    """The child: do the work, and record a failure at once, before the other ranks notice broken connections."""
    code, message = INTERNAL, ""
    try:
        die_with_parent(signal.SIGKILL)
        signal.signal(END_SIGNAL, signal.SIG_IGN)  # torchrun sends it to the parent's whole group
        stop = StopRequest()
        stop.install()
        faulthandler.enable(all_threads=True)  # the stacks of a crash in C++ are in its log
        faulthandler.register(DUMP_SIGNAL, all_threads=True)
        pulse = Pulse(attempt.beat_of(world.rank))
        pulse.enter(IMPORTING)
        code = _work_of(bundle)(bundle, run, world, stop, screen, pulse)
    except Failure as failure:
        code, message = failure.code, str(failure)
    except BaseException as error:
        code, message = _classify(error, run)
        with suppress(OSError):  # the log may be on a full disk
            traceback.print_exc()
    if is_failure(code):
        attempt.record_exit(world.rank, code, message)
    for stream in (sys.stdout, sys.stderr, screen):
        with suppress(OSError):
            stream.flush()
    return code


def _work_of(bundle: Path) -> Callable[[Path, RunDirectory, World, StopRequest, TextIO, Pulse], int]:
    """Training, or the task that the plan names in its place; training alone imports torch here."""
    if is_task(load_config(bundle / "config.py")):
        from cfgc_runtime.task import run_task

        return run_task
    from cfgc_runtime.train import train

    return train


def _classify(error: BaseException, run: RunDirectory) -> tuple[int, str]:
    """Exit code and sentence for an error that nobody expected."""
    text = f"{type(error).__name__}: {error}".strip()
    if isinstance(error, RuntimeError) and any(sign in text for sign in _LOST_PEER_SIGNS):
        return LOST_PEER, text.splitlines()[0]
    cause = find_os_error(error)
    if cause is not None and (cause is error or cause.errno in FULL):
        return BAD_CHECKPOINT, describe_os_error(cause, run.root)
    if _TORCH_WRITER.search(text):  # torch writes files in C++ and does not tell the system's reason
        return BAD_CHECKPOINT, _reason_for_failed_write(run) or text.splitlines()[0]
    return INTERNAL, text


def _reason_for_failed_write(run: RunDirectory) -> str:
    """What the system says to another write in the same place; empty when that one works."""
    probe = run.root / f".probe.{os.getpid()}"
    try:
        probe.write_bytes(bytes(_PROBE_SIZE))
    except OSError as error:
        return describe_os_error(error, run.root)
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return ""
