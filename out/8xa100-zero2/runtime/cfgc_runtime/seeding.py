"""Random numbers: one seed in the spec, an independent one for each use."""

from __future__ import annotations

import hashlib
import random
import sys
from typing import Any

import torch


def derive_seed(seed: int, *use: str | int) -> int:
    """A 63-bit seed for one use, such as ``("epoch", 3)``: near seeds and uses give unrelated streams."""
    text = "/".join(str(part) for part in (seed, *use))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def make_deterministic() -> None:
    """Choose bit-for-bit repeatable kernels; an operation that has none raises. cuBLAS is told in the environment."""
    torch.use_deterministic_algorithms(True)
    # Filling every new tensor finds reads of unset memory, at the price of writing DeepSpeed's large buckets each step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False


def seed_rank(seed: int, rank: int) -> None:
    """Seed what dropout and libraries draw from: different on every rank."""
    own = derive_seed(seed, "rank", rank)
    random.seed(own)
    torch.manual_seed(own)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(own % 2**32)


def rng_state() -> dict[str, Any]:
    """Everything that random numbers come from, in plain types and tensors."""
    state: dict[str, Any] = {"torch": torch.get_rng_state(), "python": random.getstate()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    if (numpy := sys.modules.get("numpy")) is not None:
        name, keys, *rest = numpy.random.get_state()
        state["numpy"] = (name, keys.tolist(), *rest)
    return state


def restore_rng_state(state: dict[str, Any]) -> None:
    """Continue where ``rng_state`` was taken."""
    torch.set_rng_state(state["torch"])
    random.setstate(state["python"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
    if "numpy" in state and (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.set_state(state["numpy"])
