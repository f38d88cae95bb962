"""Which tool a file is for: by its content."""

from __future__ import annotations

from typing import Literal, TypeAlias

from cfgc.importing.branches import Branch
from cfgc.importing.from_tree import has_interpolation

Kind: TypeAlias = Literal["deepspeed", "accelerate", "hydra", "ava"]
KINDS: tuple[Kind, ...] = ("deepspeed", "accelerate", "hydra", "ava")

_ACCELERATE = {
    *("compute_environment", "distributed_type", "deepspeed_config", "fsdp_config", "fp8_config"),
    *("num_processes", "num_machines", "mixed_precision"),
}
_HYDRA = {"defaults", "hydra", "trainer", "exp_manager"}
_DEEPSPEED = {
    *("train_batch_size", "train_micro_batch_size_per_gpu", "zero_optimization", "fp16", "bf16", "optimizer"),
    *("gradient_accumulation_steps", "gradient_clipping", "steps_per_print", "scheduler", "activation_checkpointing"),
}
_AVA = {"training", "model", "data", "deepspeed"}


def is_json(name: str, data: bytes, known: bool = False) -> bool:
    """Whether a file is JSON or HJSON rather than YAML; ``known`` when it is a ds_config whatever it looks like."""
    if name.lower().endswith((".yaml", ".yml")):
        return False
    return (
        known
        or name.lower().endswith((".json", ".hjson"))
        or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"//"))
    )


def kind_of(root: Branch) -> Kind | None:
    """The kind of a YAML file; None when its keys are of no kind."""
    keys = set(root)
    if keys & _ACCELERATE:
        return "accelerate"
    if keys & _HYDRA:
        return "hydra"
    if "zero_optimization" in keys or len(keys & _DEEPSPEED) > 1:
        return "deepspeed"
    if has_interpolation(root):
        return "hydra"
    return "ava" if sum(isinstance(root.get(key), dict) for key in _AVA) > 1 else None
