"""The plan of the model, by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cfgc.lower.plan_machine import NodePath


@dataclass(frozen=True)
class Model:
    """The decoder transformer. ``head_dim`` × ``num_heads`` = ``hidden_size``; ``parameters`` counts weights."""

    kind: Literal["decoder"]
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    intermediate_size: int
    max_sequence_length: int
    activation: Literal["swiglu", "gelu", "relu"]
    norm_eps: float
    rope_theta: float
    tie_embeddings: bool
    attention: Literal["sdpa", "eager", "flash_attention_2"]
    attention_dropout: float
    hidden_dropout: float
    initializer_range: float
    activation_checkpointing: bool
    parameters: int


@dataclass(frozen=True)
class HuggingFaceModel:
    """A causal language model of transformers; sizes are 0 where only the node knows them.

    ``path`` is a local directory with config.json; empty where ``config``, a JSON object, says what it is. From
    weights, the directory's own are loaded; else the first ones are drawn.
    """

    kind: Literal["huggingface"]
    path: NodePath
    config: str
    from_weights: bool
    attention: Literal["sdpa", "eager", "flash_attention_2"]
    activation_checkpointing: bool
    vocab_size: int
    max_sequence_length: int
    parameters: int


@dataclass(frozen=True)
class TargetModel:
    """A model that the user's own code builds, ``module:attribute``; only that code knows its sizes: they are 0."""

    kind: Literal["target"]
    target: str
    vocab_size: int
    max_sequence_length: int
    parameters: int


AnyModel: TypeAlias = Model | HuggingFaceModel | TargetModel
"""Told apart by ``kind``; each has ``vocab_size``, ``max_sequence_length`` and ``parameters``, 0 for unknown."""
