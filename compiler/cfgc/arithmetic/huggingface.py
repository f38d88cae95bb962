"""Sizes of transformers models whose configuration the spec holds, where they are certain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cfgc.arithmetic.decoder import Shape, Sizes

_NEUTRAL = frozenset(
    {
        "model_type", "architectures", "bos_token_id", "eos_token_id", "pad_token_id", "initializer_range", "dtype",
        "torch_dtype", "transformers_version", "use_cache", "hidden_act", "rms_norm_eps", "rope_theta", "rope_scaling",
        "rope_parameters", "attention_dropout", "activation_function", "attn_pdrop", "embd_pdrop", "resid_pdrop",
        "layer_norm_epsilon", "max_position_embeddings", "sliding_window", "use_sliding_window", "max_window_layers",
    }
)  # fmt: skip
"""Keys that change no number of weights in the models below."""

_LLAMA = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
_GPT2 = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")


def sizes_of_config(config: Mapping[str, Any]) -> Sizes | None:
    """Sizes of a configuration that gives them all and nothing else that matters; None for any other."""
    kind = config.get("model_type")
    if kind in ("llama", "mistral", "qwen2"):
        return _of_llama(config, biased=kind == "qwen2")
    return _of_gpt2(config) if kind == "gpt2" else None


def whole_number(config: Mapping[str, Any], *keys: str) -> int:
    """The first of ``keys`` that holds a positive integer; 0 when none does."""
    return next((value for key in keys if type(value := config.get(key)) is int and value > 0), 0)


def _of_llama(config: Mapping[str, Any], biased: bool) -> Sizes | None:
    """RMSNorm, gated feed-forward, rotary positions; Qwen2 adds biases to query, key and value."""
    needed = (*_LLAMA, "num_key_value_heads", "tie_word_embeddings")
    if not _has_all(config, needed):
        return None
    vocabulary, hidden, inner, layers, heads = (whole_number(config, key) for key in _LLAMA)
    shared = whole_number(config, "num_key_value_heads")
    if 0 in (vocabulary, hidden, inner, layers, heads, shared) or hidden % heads:
        return None
    shape = Shape(vocabulary, hidden, layers, heads, shared, inner, True, config["tie_word_embeddings"] is True)
    return Sizes(shape, layers * (heads + 2 * shared) * shape.head_dim if biased else 0)


def _of_gpt2(config: Mapping[str, Any]) -> Sizes | None:
    """LayerNorm, learned positions, biases everywhere, a head that is the embedding."""
    if not _has_all(config, _GPT2):
        return None
    vocabulary, positions, hidden, layers, heads = (whole_number(config, key) for key in _GPT2)
    if 0 in (vocabulary, positions, hidden, layers, heads) or hidden % heads:
        return None
    inner = 4 * hidden
    biases = layers * (3 * hidden + hidden + inner + hidden + 2 * hidden) + hidden
    return Sizes(Shape(vocabulary, hidden, layers, heads, heads, inner, False, True), positions * hidden + biases)


def _has_all(config: Mapping[str, Any], needed: tuple[str, ...]) -> bool:
    return set(needed) <= set(config) and set(config) <= {*needed, *_NEUTRAL}
