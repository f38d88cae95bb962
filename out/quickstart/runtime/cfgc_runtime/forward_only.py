"""What an evaluation leaves out of ds_config.json: whatever belongs to the optimizer. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTITIONS_WEIGHTS: Final = 3
"""The ZeRO stage of which a forward pass has something."""
_TRAINING: Final = ("optimizer", "scheduler")
_OF_THE_OPTIMIZER: Final = ("offload_optimizer", "zenflow")
_ITS_PRECISION: Final = ("fp16_master_weights_and_grads", "bf16_master_weights_and_grads", "bf16_optimizer_states")


def forward_only(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` for forward passes alone: weights lie where they would in training, and nothing else is kept.

    ZeRO 1 and 2 cut what an evaluation does not have; DeepSpeed refuses them without an optimizer.
    """
    kept = {name: value for name, value in settings.items() if name not in _TRAINING}
    zero = settings.get("zero_optimization", {})
    if zero.get("stage") == PARTITIONS_WEIGHTS:
        kept["zero_optimization"] = _without(zero, _OF_THE_OPTIMIZER)
    else:
        kept["zero_optimization"] = {"stage": 0}
    precisions = {name: _without(settings[name], _ITS_PRECISION) for name in ("fp16", "bf16") if name in settings}
    return {**kept, **precisions}


def _without(table: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}
