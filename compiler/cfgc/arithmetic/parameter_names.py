"""Names of the parameters of the runtime's decoder (cfgc_runtime/models/decoder.py; a test compares the two)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc.arithmetic.decoder import Shape

_ATTENTION = ("query", "key", "value", "output")


def decoder_names(shape: Shape) -> Iterator[str]:
    """All names in the model's order; a tied head is the embedding."""
    yield "embedding.weight"
    matrices = ("gate", "up", "down") if shape.gated else ("up", "down")
    for layer in range(shape.num_layers):
        block = f"blocks.{layer}"
        yield f"{block}.attention_norm.weight"
        yield from (f"{block}.attention.{name}.weight" for name in _ATTENTION)
        yield f"{block}.mlp_norm.weight"
        yield from (f"{block}.mlp.{name}.weight" for name in matrices)
    yield "norm.weight"
    if not shape.tie_embeddings:
        yield "head.weight"
