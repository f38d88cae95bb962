"""The device of one rank, through torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from cfgc_runtime.errors import WRONG_WORLD, Failure
from cfgc_runtime.preflight.sizes import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgc_runtime.config import Config, Topology
    from cfgc_runtime.world import World


ARCHITECTURES: Final[dict[tuple[int, int] | int, str]] = {
    (7, 5): "turing",
    (8, 9): "ada",
    7: "volta",
    8: "ampere",
    9: "hopper",
    10: "blackwell",
    12: "blackwell",
}
"""By compute capability, or by its first number."""
_SMALLER: Final = 0.9
"""Less than this share of the memory that was planned with is another device, not only what the driver keeps."""


def check_device(config: Config, world: World) -> list[str]:
    """Warnings about this rank's device.

    Raises ``Failure`` unless it has one of its own that can compute in the plan's precision.
    """
    if config.TOPOLOGY.device != "cuda":
        return []
    if not torch.cuda.is_available():
        raise Failure(
            WRONG_WORLD,
            f"torch {torch.__version__} sees no GPU on this node: it was built without CUDA, or the driver is missing "
            "or too old (nvidia-smi says it)",
        )
    found = torch.cuda.device_count()
    if found <= world.local_rank:
        raise Failure(WRONG_WORLD, f"GPUs visible on this node: {found}; {world.local_size} ranks need one each")
    name = torch.cuda.get_device_name(world.local_rank)
    capability = torch.cuda.get_device_capability(world.local_rank)
    if config.PRECISION == "bf16" and capability < (8, 0):
        raise Failure(
            WRONG_WORLD,
            f"{name} has no bf16: start it on Ampere or newer, or set training.precision in the spec and rebuild",
        )
    memory = torch.cuda.get_device_properties(world.local_rank).total_memory
    return list(compare_device(config.TOPOLOGY, name, capability, memory))


def compare_device(topology: Topology, name: str, capability: tuple[int, int], memory: int) -> Iterator[str]:
    """What the device ``name`` is not that the plan was made for: its generation, its memory in bytes."""
    found = ARCHITECTURES.get(capability) or ARCHITECTURES.get(capability[0], "unknown")
    if "unknown" not in (topology.architecture, found) and found != topology.architecture:
        yield f"{name} is of the generation {found}, and the plan is for {topology.architecture}: it may be slower"
    if memory < _SMALLER * topology.device_memory:
        yield (
            f"{name} has {readable(memory)}, and the plan counts on {readable(topology.device_memory)}: it may run out "
            "of memory"
        )
