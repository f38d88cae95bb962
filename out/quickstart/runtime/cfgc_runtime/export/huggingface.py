"""A model of transformers, written as transformers itself writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import BAD_CHECKPOINT, WRONG_WORLD, Failure
from cfgc_runtime.models.huggingface import INSTALL, read_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch

    from cfgc_runtime.config import HuggingFaceModel


def write_pretrained(
    directory: Path,
    weights: Mapping[str, Any],
    model: HuggingFaceModel,
    dtype: torch.dtype,
    largest: int,
    report: Callable[[int, int], None],
) -> int:
    """``save_pretrained`` of the model with ``weights`` as ``dtype``; the bytes written. Holds the whole model."""
    import torch

    try:
        from transformers import AutoModelForCausalLM
    except ImportError:
        raise Failure(WRONG_WORLD, f"exporting it needs transformers: {INSTALL}") from None
    settings = read_config(model)
    with torch.device("meta"):
        made = AutoModelForCausalLM.from_config(settings, dtype=dtype)
    total, done, whole = sum(_bytes(one, dtype) for one in weights.values()), 0, {}
    for name, weight in weights.items():
        read = weight.contiguous()
        whole[name] = read.to(dtype) if read.is_floating_point() else read
        done += _bytes(weight, dtype)
        report(done, total)
    lacking = made.load_state_dict(whole, strict=False, assign=True).missing_keys
    if lacking := [name for name in lacking if name not in _tied(made)]:
        raise Failure(BAD_CHECKPOINT, f"the checkpoint has no {lacking[0]}, which the model of the bundle has")
    made.tie_weights()
    made.save_pretrained(directory, max_shard_size=largest)
    return total


def _bytes(weight: Any, dtype: torch.dtype) -> int:
    return int(weight.shape.numel()) * dtype.itemsize


def _tied(model: Any) -> set[str]:
    """Names of parameters that share the tensor of another one."""
    keys = getattr(model, "_tied_weights_keys", None) or ()
    return set(keys)
