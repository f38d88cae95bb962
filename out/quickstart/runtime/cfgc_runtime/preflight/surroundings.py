"""What must be there on a node: packages, variables, data, GPUs, a compiler. Standard library only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfgc_runtime.data.files import check_files
from cfgc_runtime.errors import USAGE, WRONG_WORLD, Failure
from cfgc_runtime.preflight.finding import Finding, error, from_failure
from cfgc_runtime.preflight.offloads import offloads_of
from cfgc_runtime.releases import check_releases

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cfgc_runtime.config import Launch, Target, Topology
    from cfgc_runtime.data.config import Data


def packages(target: Target) -> Iterator[Finding]:
    """torch and DeepSpeed are those of the target."""
    try:
        check_releases(target)
    except Failure as failure:
        yield from_failure(failure)


def variables(launch: Launch) -> Iterator[Finding]:
    """What the spec asks of the user is set; values are never shown."""
    if missing := [name for name in launch.required if not os.environ.get(name)]:
        yield error(USAGE, f"set these environment variables first (PLAN.md says what for): {', '.join(missing)}")


def data_is_here(data: Data) -> Iterator[Finding]:
    """Each source's path exists, and a file below it matches."""
    for source in data.sources:
        try:
            check_files(source)
        except Failure as failure:
            yield from_failure(failure)


def gpus(topology: Topology) -> Iterator[Finding]:
    """As many as the plan has ranks on a node, as far as that can be seen without torch."""
    if topology.device != "cuda":
        return
    found = _visible_gpus()
    if found is not None and found < topology.ranks_per_node:
        chosen = " (CUDA_VISIBLE_DEVICES)" if "CUDA_VISIBLE_DEVICES" in os.environ else ""
        yield error(
            WRONG_WORLD,
            f"{found} GPU{'' if found == 1 else 's'} visible on this node{chosen}; the plan starts "
            f"{topology.ranks_per_node} ranks, one on each; start it where they are, or change launch.gpus_per_node "
            "(or hardware.device) in the spec and rebuild",
        )


def compiler(ds_config: Mapping[str, Any], compiles: bool) -> Iterator[Finding]:
    """A C++ compiler, when DeepSpeed or torch builds something on this node."""
    swaps = any(one.get("device") == "nvme" for one in offloads_of(ds_config))
    if not (swaps or compiles) or shutil.which(os.environ.get("CXX", "g++")):
        return
    what = "offloading to NVMe" if swaps else "torch.compile"
    yield error(
        WRONG_WORLD,
        f"{what} builds C++ on this node, and there is no g++; install it (apt-get install g++, or module load gcc), "
        "or name a compiler: CXX=…",
    )


def _visible_gpus() -> int | None:
    """None where the system does not say it in the way of NVIDIA's driver."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        names = [name.strip() for name in chosen.split(",")]
        return len(names[: names.index("-1")] if "-1" in names else [name for name in names if name])
    if Path("/dev/kfd").exists() or Path("/dev/dxg").exists():
        return None
    return sum(device.name[len("nvidia") :].isdecimal() for device in Path("/dev").glob("nvidia[0-9]*"))
