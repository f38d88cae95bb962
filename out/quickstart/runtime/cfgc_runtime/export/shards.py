"""Weights into safetensors: one file, or several below a size with an index, as transformers lays them out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import WRONG_WORLD, Failure
from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import torch

INSTALL = "pip install safetensors"


def write_shards(
    directory: Path,
    weights: Mapping[str, Any],
    dtype: torch.dtype,
    largest: int,
    report: Callable[[int, int], None],
) -> int:
    """Write ``weights`` as ``dtype``, no file larger than ``largest`` bytes unless one tensor is; the bytes written.

    Holds one file's tensors in memory. ``report`` is told bytes done and bytes in all, after each tensor.
    """
    try:
        from safetensors.torch import save_file
    except ImportError:
        raise Failure(WRONG_WORLD, f"exporting needs safetensors, which is not installed here: {INSTALL}") from None
    sizes = {name: int(math.prod(weight.shape)) * dtype.itemsize for name, weight in weights.items()}
    shards, total, done = list(_split(sizes, largest)), sum(sizes.values()), 0
    places: dict[str, str] = {}
    for number, names in enumerate(shards, 1):
        file = "model.safetensors" if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        tensors = {}
        for name in names:
            tensors[name] = weights[name].contiguous().to(dtype)
            done += sizes[name]
            report(done, total)
        save_file(_separate(tensors), directory / file, metadata={"format": "pt"})
        places |= dict.fromkeys(names, file)
    if len(shards) > 1:
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        write_json(directory / "model.safetensors.index.json", index)
    return total


def _split(sizes: Mapping[str, int], largest: int) -> Iterator[list[str]]:
    names: list[str] = []
    for name in sizes:
        if names and sum(sizes[one] for one in (*names, name)) > largest:
            yield names
            names = []
        names.append(name)
    yield names


def _separate(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Each tensor in memory of its own, which the format asks for."""
    seen: set[int] = set()
    separate = {}
    for name, tensor in tensors.items():
        start = tensor.untyped_storage().data_ptr()
        separate[name] = tensor.clone() if start in seen else tensor
        seen.add(start)
    return separate
