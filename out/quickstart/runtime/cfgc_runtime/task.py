"""A task of the user's own, in place of training: a function that wiring.py calls, or a script of the bundle."""

from __future__ import annotations

import os
import reprlib
import signal
import sys
import traceback
from numbers import Integral
from operator import index
from typing import TYPE_CHECKING, cast

from cfgc_runtime.config import load_config
from cfgc_runtime.errors import BAD_BUNDLE, FINISHED, INTERNAL, NO_INPUT, PREEMPTED, Failure
from cfgc_runtime.export.task import run_export
from cfgc_runtime.point import VARIABLE, point_of
from cfgc_runtime.pulse import TASK
from cfgc_runtime.releases import check_releases
from cfgc_runtime.rundir import expand
from cfgc_runtime.signals import STOP_SIGNALS
from cfgc_runtime.wiring import load_wiring

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import TextIO

    from cfgc_runtime.config import Task, TaskConfig
    from cfgc_runtime.pulse import Pulse
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest
    from cfgc_runtime.world import World

OWN_PYTHON = ("python",)
_FAILED = 1
_LARGEST = 255


def run_task(bundle: Path, run: RunDirectory, world: World, stop: StopRequest, screen: TextIO, pulse: Pulse) -> int:
    """Run the task on this rank; its exit code. A script takes the place of this process and does not return.

    Raises ``Failure`` when this is not the world that was planned, or the task cannot be started.
    """
    config = cast("TaskConfig", load_config(bundle / "config.py"))
    world.check(config.TOPOLOGY)
    check_releases(config.TARGET)
    os.environ.update(_variables(config, run))
    if config.TASK.kind == "export":
        pulse.enter(TASK)
        return run_export(config.TASK, run, stop)
    directory = expand(config.TASK.working_directory)
    wiring = load_wiring(bundle) if config.TASK.kind == "function" else None
    _enter(directory)
    pulse.enter(TASK)
    screen.flush()
    if stop.requested:  # before anything ran: there is nothing to save
        return PREEMPTED
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    if wiring is None:
        return _become(_command(bundle, config.TASK))
    if wiring.run_task is None:
        raise Failure(BAD_BUNDLE, "config.py names a function that wiring.py does not call")
    return _call(wiring.run_task)


def _variables(config: TaskConfig, run: RunDirectory) -> Mapping[str, str]:
    """What the task is told besides torchrun's variables; ``CFGC_RUN_DIR`` and ``CFGC_ATTEMPT`` are there already."""
    return {
        **dict(config.TASK.environment),
        **{name: str(expand(path)) for name, path in config.TASK.paths},
        "CFGC_CHECKPOINT_DIR": str(run.checkpoints),
        **_point(run),
        "CFGC_SEED": str(config.EXPERIMENT.seed),
        "CFGC_DETERMINISTIC": str(int(config.EXPERIMENT.deterministic)),
        "PYTHONFAULTHANDLER": "1",  # a script takes the place of the process that has it on
    }


def _point(run: RunDirectory) -> Mapping[str, str]:
    """The number of the sweep's point; nothing for a single run."""
    point = point_of(run.bundle)
    return {VARIABLE: str(point.index)} if point else {}


def _enter(directory: Path) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise Failure(NO_INPUT, f"the task cannot start in {directory}: {error.strerror}") from None


def _command(bundle: Path, task: Task) -> list[str]:
    first = [sys.executable, "-B"] if task.interpreter == OWN_PYTHON else list(task.interpreter)
    return [*first, str(bundle / task.script), *task.args]


def _become(command: list[str]) -> int:
    """Replace this process, so that signals and exit codes are the script's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise Failure(NO_INPUT, f"the task's script needs {command[0]}: {error.strerror}") from None


def _call(function: object) -> int:
    """The exit code that a program with this function as its main would have.

    Raises ``Failure`` when it returns what is no exit code.
    """
    assert callable(function)
    try:
        returned = function()
    except SystemExit as left:
        return _left_with(left.code)
    except BaseException:
        traceback.print_exc()
        return _FAILED
    return _code(returned)


def _left_with(said: object) -> int:
    """The exit code of ``SystemExit(said)``: Python prints what is no number, and calls True 1."""
    if said is not None and not isinstance(said, Integral):
        print(said, file=sys.stderr)
        return _FAILED
    return _code(int(said) if isinstance(said, bool) else said)


def _code(returned: object) -> int:
    """``returned`` as an exit code. A process keeps the lowest eight bits: 256 would count as finished."""
    if returned is None:
        return FINISHED
    if isinstance(returned, bool) or not isinstance(returned, Integral):  # a tensor is none, whatever is in it
        raise Failure(
            INTERNAL,
            f"the task returned {reprlib.repr(returned)} ({type(returned).__name__}), which is no exit code; "
            "return None or 0 when it has finished, another integer up to 255 when it failed",
        )
    code = index(returned)
    if not FINISHED <= code <= _LARGEST:
        raise Failure(INTERNAL, f"the task returned {reprlib.repr(code)}, but exit codes go from 0 to 255")
    return code
