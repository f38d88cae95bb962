"""Ranks and how they are grouped."""

from __future__ import annotations


def world_size(nodes: int, ranks_per_node: int) -> int:
    """Ranks in all: one a GPU, or on a CPU one a process."""
    return nodes * ranks_per_node


def model_parallel_size(tensor: int, pipeline: int, sequence: int) -> int:
    """Ranks that share one copy of the model and one batch."""
    return tensor * pipeline * sequence


def data_parallel_size(world: int, model_parallel: int) -> int | None:
    """Copies of the model that see different samples; None when ``world`` doesn't split into whole copies."""
    if model_parallel < 1 or world < model_parallel or world % model_parallel:
        return None
    return world // model_parallel
