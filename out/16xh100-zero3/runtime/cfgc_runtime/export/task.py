"""An export as a task of its own: the model lies in the run directory, for the stages that need it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from cfgc_runtime.errors import FINISHED, PREEMPTED
from cfgc_runtime.export.exporting import Export, export_checkpoint
from cfgc_runtime.rundir import expand

if TYPE_CHECKING:
    from cfgc_runtime.config import Task
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest


class _Stopped(Exception):  # noqa: N818 - it was asked to
    """A stop request between two tensors."""


def run_export(task: Task, run: RunDirectory, stop: StopRequest) -> int:
    """Write the model unless an earlier attempt did; 75 after a stop request, which leaves nothing behind.

    Raises ``Failure`` when there is no such checkpoint, or it is damaged.
    """
    for leftover in run.root.glob(f".{run.model.name}.*"):  # of an attempt that was killed
        shutil.rmtree(leftover)
    if run.model.exists():
        print(f"{run.model} is there already, and whole")
        return FINISHED

    def report(_done: int, _total: int) -> None:
        if stop.requested:
            raise _Stopped

    wanted = Export(expand(task.checkpoint), run.model, task.format, task.dtype)
    try:
        print(export_checkpoint(wanted, report))
    except _Stopped:
        return PREEMPTED
    return FINISHED
