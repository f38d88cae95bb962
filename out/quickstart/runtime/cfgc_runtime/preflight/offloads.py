"""What DeepSpeed moves off the GPUs. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def offloads_of(ds_config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What ds_config.json says of the optimizer's and of the parameters' offload; empty where there is none."""
    zero = ds_config.get("zero_optimization", {})
    return [zero.get(name) or {} for name in ("offload_optimizer", "offload_param")]
