"""Sizes of the decoder transformer."""

from __future__ import annotations

from dataclasses import dataclass

MULTIPLE = 64
"""Widths of matrices are kept to multiples of this: whole tiles of the tensor cores at two bytes a number."""

BYTE_VOCABULARY = 257
"""What the byte tokenizer needs: 256 byte values and the end of a text."""


@dataclass(frozen=True)
class Shape:
    """What fixes the number of weights."""

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    intermediate_size: int
    gated: bool
    tie_embeddings: bool

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_heads


@dataclass(frozen=True)
class Sizes:
    """A model's shape, and the weights that a model of that shape has ``besides``: biases, learned positions."""

    shape: Shape
    besides: int = 0

    @property
    def parameters(self) -> int:
        """All weights."""
        return parameter_count(self.shape) + self.besides


def default_intermediate_size(hidden_size: int, gated: bool) -> int:
    """8/3 of the hidden size, rounded up to a multiple of 64, when gated (three matrices); else 4 times it (two).

    Both give the feed-forward block about 8·hidden² weights (Shazeer, "GLU Variants Improve Transformer", 2020).
    """
    if not gated:
        return 4 * hidden_size
    return -(-8 * hidden_size // (3 * MULTIPLE)) * MULTIPLE


def parameter_count(shape: Shape) -> int:
    """Weights of the runtime's model: RMSNorm, rotary positions, no biases; a tied head counts once."""
    return embedding_parameters(shape) * (1 if shape.tie_embeddings else 2) + body_parameters(shape)


def embedding_parameters(shape: Shape) -> int:
    """Weights of one vocabulary matrix."""
    return shape.vocab_size * shape.hidden_size


def body_parameters(shape: Shape) -> int:
    """Weights of all layers and the last norm."""
    hidden = shape.hidden_size
    attention = 2 * hidden * shape.num_heads * shape.head_dim + 2 * hidden * shape.num_kv_heads * shape.head_dim
    feed_forward = (3 if shape.gated else 2) * hidden * shape.intermediate_size
    norms = 2 * hidden
    return shape.num_layers * (attention + feed_forward + norms) + hidden


def flops_per_token(shape: Shape, sequence_length: int) -> int:
    """Floating-point operations of one forward and backward pass, per token.

    6 for each weight that is multiplied (the input embedding is looked up), and 12·layers·width·length for
    attention, as in appendix B of the PaLM paper (Chowdhery and others, 2022): no discount for the causal mask and
    none for recomputation.
    """
    multiplied = body_parameters(shape) + embedding_parameters(shape)
    width = shape.num_heads * shape.head_dim
    return 6 * multiplied + 12 * shape.num_layers * width * sequence_length
