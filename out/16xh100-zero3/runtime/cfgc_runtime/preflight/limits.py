"""What the system lets a process have (``ulimit``). Standard library only."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cfgc_runtime.binding import cores
from cfgc_runtime.preflight.finding import Finding, warning
from cfgc_runtime.preflight.offloads import offloads_of
from cfgc_runtime.preflight.sizes import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cfgc_runtime.config import Launch, Topology
    from cfgc_runtime.data.config import Data

_FILES_AT_LEAST: Final = 1024
_FILES_A_WORKER: Final = 64
_LOCKED_AT_LEAST: Final = 1 << 30
CORE_AT_MOST: Final = 1 << 30
"""A file that does no harm."""
_CORE_PATTERN: Final = Path("/proc/sys/kernel/core_pattern")


def open_files(data: Data) -> Iterator[Finding]:
    """Connections to other ranks, files of data, and pipes to workers all count."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = _FILES_AT_LEAST + _FILES_A_WORKER * data.num_workers
    if soft != resource.RLIM_INFINITY and soft < need:
        reach = (
            "" if hard == resource.RLIM_INFINITY or hard >= need else f" (this user may have {hard:,}: ask an admin)"
        )
        yield warning(f"a process may open {soft:,} files, and a rank may need {need:,}: ulimit -n {4 * need}{reach}")


def locked_memory(topology: Topology, ds_config: Mapping[str, Any]) -> Iterator[Finding]:
    """Memory that a network card or a GPU reads directly must stay where it is."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if topology.device != "cuda" or soft == resource.RLIM_INFINITY or soft >= _LOCKED_AT_LEAST:
        return
    pins = any(one.get("pin_memory") for one in offloads_of(ds_config))
    if topology.nodes > 1 or pins:
        why = "NCCL over InfiniBand" if topology.nodes > 1 else "offloading with pinned memory"
        yield warning(
            f"a process may lock {readable(soft)} of memory, and {why} needs it unlimited: ulimit -l unlimited, or on "
            "Slurm PropagateResourceLimitsExcept=MEMLOCK"
        )


def cores_to_bind_to(launch: Launch, topology: Topology) -> Iterator[Finding]:
    """One for each rank, when each is to have its own."""
    here, ranks = len(cores(os.sched_getaffinity(0))), topology.ranks_per_node
    if launch.cpu_binding == "cores" and here < ranks:
        yield warning(
            f"{ranks} ranks share {here} CPU cores, which launch.cpu_binding cannot give them one by one; ask for more "
            "(cluster.cpus_per_task), or start fewer ranks"
        )


def core_files(launch: Launch) -> Iterator[Finding]:
    """A rank that crashes may leave all of its memory in a file, where it was started, unless the plan limits that."""
    if any(name == "core" for name, _ in launch.limits):
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        into_a_file = not _CORE_PATTERN.read_text().startswith("|")
    except OSError:
        return
    if into_a_file and (soft == resource.RLIM_INFINITY or soft > CORE_AT_MOST):
        yield warning(
            "a rank that crashes leaves a core file as large as its memory; unless you want to look at one: ulimit -c 0"
        )
