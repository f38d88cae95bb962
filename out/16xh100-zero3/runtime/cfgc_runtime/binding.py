"""Which CPUs a rank may use, of those that its node's supervisor may (launch.cpu_binding). Standard library only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cfgc_runtime.world import World

Binding: TypeAlias = Literal["none", "cores", "numa"]
Cpus: TypeAlias = frozenset[int]

_SYSTEM: Final = Path("/sys/devices/system")
_DRIVER: Final = Path("/proc/driver/nvidia/gpus")
_PCI: Final = Path("/sys/bus/pci/devices")


def bind(binding: Binding, world: World) -> None:
    """Keep this process, and all that it will start, on its own CPUs."""
    if binding != "none":
        os.sched_setaffinity(0, cpus_of(binding, world.local_rank, world.local_size, os.sched_getaffinity(0)))


def cpus_of(binding: Binding, local_rank: int, local_size: int, allowed: set[int], system: Path = _SYSTEM) -> Cpus:
    """The share of rank ``local_rank`` in ``allowed``: whole cores, or all that is near its memory or its GPU."""
    if binding == "cores":
        return _share(cores(allowed, system), local_rank, local_size)
    near = numa_nodes(allowed, system)
    gpu = _node_of_gpu(local_rank)
    return near[gpu] if gpu in near else _share(list(near.values()), local_rank, local_size)


def cores(allowed: set[int], system: Path = _SYSTEM) -> list[Cpus]:
    """The cores among ``allowed``, each with its hardware threads, neighbours in memory beside each other."""
    found: list[Cpus] = []
    for node in numa_nodes(allowed, system).values():
        siblings = {cpu: _read_list(system / f"cpu/cpu{cpu}/topology/thread_siblings_list") for cpu in sorted(node)}
        found += dict.fromkeys(frozenset({cpu, *threads}) & node for cpu, threads in siblings.items())
    return found


def numa_nodes(allowed: set[int], system: Path = _SYSTEM) -> dict[int, Cpus]:
    """What of ``allowed`` is near each memory; all of it is node 0 where the system does not say."""
    files = {int(path.parent.name[len("node") :]): path for path in system.glob("node/node[0-9]*/cpulist")}
    found = {number: _read_list(files[number]) & allowed for number in sorted(files)}
    near = {number: cpus for number, cpus in found.items() if cpus}
    return near if frozenset().union(*near.values()) == allowed else {0: frozenset(allowed)}


def _share(parts: Sequence[Cpus], index: int, of: int) -> Cpus:
    """Part ``index`` of ``of`` equal ones; where there are fewer parts, neighbours share one."""
    first, end = index * len(parts) // of, (index + 1) * len(parts) // of
    return frozenset().union(*parts[first : max(end, first + 1)])


def _read_list(path: Path) -> Cpus:
    """CPUs in the kernel's way of listing them, such as ``0-3,8``; none when it does not say."""
    try:
        return frozenset(_numbers(path.read_text()))
    except (OSError, ValueError):
        return frozenset()


def _numbers(text: str) -> Iterator[int]:
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _node_of_gpu(local_rank: int) -> int | None:
    """The memory that the rank's GPU is near; None when there is no GPU, or the driver does not say."""
    buses = sorted(path.name for path in _DRIVER.glob("*"))
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    order = chosen.split(",") if chosen else [str(number) for number in range(len(buses))]
    try:
        return int((_PCI / buses[int(order[local_rank])].lower() / "numa_node").read_text())
    except (OSError, ValueError, IndexError):  # names instead of numbers, or another vendor's GPUs
        return None
