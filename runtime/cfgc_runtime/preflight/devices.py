"""The device of one rank, through torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cfgc_runtime.errors import WRONG_WORLD, Failure

if TYPE_CHECKING:
    from cfgc_runtime.config import Config
    from cfgc_runtime.world import World


def check_device(config: Config, world: World) -> None:
    """Raise ``Failure`` unless this rank has a device of its own that can compute in the plan's precision."""
    if config.TOPOLOGY.device != "cuda":
        return
    if not torch.cuda.is_available():
        raise Failure(
            WRONG_WORLD,
            f"torch {torch.__version__} sees no GPU on this node: it was built without CUDA, or the driver is missing "
            "or too old (nvidia-smi says it)",
        )
    found = torch.cuda.device_count()
    if found <= world.local_rank:
        raise Failure(WRONG_WORLD, f"{found} GPUs are visible on this node, and {world.local_size} ranks need one each")
    name = torch.cuda.get_device_name(world.local_rank)
    if config.PRECISION == "bf16" and torch.cuda.get_device_capability(world.local_rank) < (8, 0):
        raise Failure(
            WRONG_WORLD,
            f"{name} has no bf16: start it on Ampere or newer, or set training.precision in the spec and rebuild",
        )
