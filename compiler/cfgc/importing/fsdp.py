"""What accelerate's FSDP does, as the ds_config that does the same with ZeRO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cfgc.deepspeed.config import Entry, Path
from cfgc.importing.branches import Branch, found_at, merged, placed
from cfgc.importing.items import Item, Setting

SECTION = "fsdp_config"

_STAGES = {
    **dict.fromkeys(("FULL_SHARD", "1", "HYBRID_SHARD", "4", "TRUE"), 3),
    **dict.fromkeys(("SHARD_GRAD_OP", "2", "HYBRID_SHARD_ZERO2", "5", "FALSE"), 2),
    **dict.fromkeys(("NO_SHARD", "3"), 0),
}
"""Strategies of FSDP 1, and whether FSDP 2 frees parameters after the forward pass → what a ZeRO stage partitions."""
_STRATEGIES: tuple[Path, ...] = ((SECTION, "fsdp_sharding_strategy"), (SECTION, "fsdp_reshard_after_forward"))
_OFFLOADED = (SECTION, "fsdp_offload_params")
_RECOMPUTED = (SECTION, "fsdp_activation_checkpointing")


def as_zero(root: Branch) -> tuple[Branch, Mapping[Path, Path]]:
    """The ds_config, and the keys of the YAML file that its keys stand for; both empty without FSDP."""
    found = _strategy(root)
    if found is None:
        return {}, {}
    path, node, stage = found
    config = placed({"stage": replace(node, value=stage)}, ("zero_optimization",))
    origin: dict[Path, Path] = {("zero_optimization", "stage"): path}
    offloaded = found_at(root, _OFFLOADED)
    if isinstance(offloaded, Entry) and _is_true(offloaded):
        for section in ("offload_optimizer", "offload_param")[: 2 if stage == 3 else 1]:
            device = placed({"device": replace(offloaded, value="cpu")}, ("zero_optimization", section))
            config = merged(config, device)
            origin[("zero_optimization", section, "device")] = _OFFLOADED
    return config, origin


def recomputing(root: Branch) -> Iterator[Item]:
    """FSDP's activation checkpointing is the model's."""
    node = found_at(root, _RECOMPUTED)
    if isinstance(node, Entry) and _is_true(node):
        yield Setting("model.activation_checkpointing", True, f"from {'.'.join(_RECOMPUTED)}", (_RECOMPUTED,))


def _strategy(root: Branch) -> tuple[Path, Entry, int] | None:
    """The key that says how FSDP partitions, and the stage; everything, where no key says it."""
    for path in _STRATEGIES:
        node = found_at(root, path)
        stage = _STAGES.get(str(node.value).upper()) if isinstance(node, Entry) else None
        if isinstance(node, Entry) and stage is not None:
            return path, node, stage
    kind = root.get("distributed_type")
    if not isinstance(kind, Entry) or str(kind.value).upper() != "FSDP":
        return None
    version = found_at(root, (SECTION, "fsdp_version"))
    return ((SECTION, "fsdp_version"), version, 3) if isinstance(version, Entry) else (("distributed_type",), kind, 3)


def _is_true(node: Entry) -> bool:
    return str(node.value).lower() == "true"
