"""Room on disks and in shared memory, and directories that can be written. Standard library only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cfgc_runtime.errors import CANNOT_WRITE, WRONG_WORLD, Failure, describe_os_error
from cfgc_runtime.preflight.finding import Finding, error, from_failure, note, warning
from cfgc_runtime.preflight.offloads import offloads_of
from cfgc_runtime.preflight.sizes import readable
from cfgc_runtime.rundir import ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from cfgc_runtime.config import Batch, Checkpoint, Schedule, Topology
    from cfgc_runtime.data.config import Data

_SHARED_MEMORY: Final = Path("/dev/shm")
"""Where torch's workers put their batches."""
_NCCL_NEEDS: Final = 64 << 20
_OTHER_DIRECTORY: Final = f"choose another one ({ELSEWHERE})"


def run_directory_is_writable(root: Path) -> Iterator[Finding]:
    """The run directory, or the nearest directory above it that exists."""
    if reason := _why_not_writable(root):
        yield from_failure(unwritable(root, reason))


def unwritable(root: Path, reason: str) -> Failure:
    """The run directory cannot be written."""
    return Failure(CANNOT_WRITE, f"the run directory {root} cannot be written ({reason}); {_OTHER_DIRECTORY}")


def swap_directory_is_writable(ds_config: Mapping[str, Any]) -> Iterator[Finding]:
    """Where DeepSpeed swaps to NVMe."""
    for place in sorted({str(one["nvme_path"]) for one in offloads_of(ds_config) if one.get("nvme_path")}):
        if reason := _why_not_writable(Path(place)):
            yield error(
                CANNOT_WRITE,
                f"offloading swaps to {place}, which cannot be written ({reason}); make it, or change "
                "deepspeed.offload.nvme_path in the spec and rebuild",
            )


def room_for_checkpoints(
    root: Path, checkpoints: Path, checkpoint: Checkpoint, schedule: Schedule
) -> Iterator[Finding]:
    """The first two checkpoints; the old one is removed only when the new one is whole."""
    if checkpoint.bytes_each == 0:
        yield note("the size of a checkpoint is not known, so nothing was said about room for it")
        return
    saves = 2 if 0 < checkpoint.every_steps < schedule.max_steps else 1
    missing = max(1, saves - len(list(checkpoints.glob("step-*"))))
    existing = _existing(root)
    free = _free(existing)
    if free < missing * checkpoint.bytes_each:
        each = readable(checkpoint.bytes_each)
        what = "a checkpoint" if missing == 1 else "the first two checkpoints"
        yield error(
            CANNOT_WRITE,
            f"{existing} has {readable(free)} free, and {what} take {missing} × {each}; free some, or "
            f"{_OTHER_DIRECTORY}",
        )


def room_for_workers(topology: Topology, batch: Batch, data: Data) -> Iterator[Finding]:
    """Shared memory: batches on their way from workers to ranks, and NCCL's buffers inside a node."""
    inputs_and_labels = 2 * 8 * batch.micro_batch_size * data.sequence_length
    waiting = data.num_workers * max(1, data.prefetch_factor)
    need = topology.ranks_per_node * waiting * inputs_and_labels
    if topology.device == "cuda" and topology.ranks_per_node > 1:
        need += topology.ranks_per_node * _NCCL_NEEDS
    free = _free(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else 0
    if need == 0 or free >= need:
        return
    sentence = (
        f"{_SHARED_MEMORY} has {readable(free)} free, and the {topology.ranks_per_node} ranks on this node take about "
        f"{readable(need)} of it; make it larger (docker run --shm-size=16g, or an emptyDir with medium Memory)"
    )
    if data.num_workers:
        yield error(WRONG_WORLD, f"{sentence}, or set data.num_workers = 0 in the spec and rebuild")
    else:
        yield warning(sentence)


def _why_not_writable(directory: Path) -> str:
    """What the system says to a file in ``directory`` or, when it does not exist, to one in the nearest above it."""
    try:
        with tempfile.TemporaryFile(dir=_existing(directory)):
            return ""
    except OSError as problem:
        return describe_os_error(problem, directory).removesuffix(f": {problem.filename}") + f": {_existing(directory)}"


def _existing(path: Path) -> Path:
    """``path``, or the nearest one above it that exists."""
    return next(one for one in (path, *path.parents) if os.path.lexists(one))


def _free(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
