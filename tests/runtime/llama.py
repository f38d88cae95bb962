"""The runtime's decoder as transformers' Llama, which others wrote and many have trained with."""

from __future__ import annotations

from typing import Any

import torch

NAMES = (
    ("embedding", "model.embed_tokens"),
    ("blocks", "model.layers"),
    ("attention_norm", "input_layernorm"),
    ("mlp_norm", "post_attention_layernorm"),
    ("attention.query", "self_attn.q_proj"),
    ("attention.key", "self_attn.k_proj"),
    ("attention.value", "self_attn.v_proj"),
    ("attention.output", "self_attn.o_proj"),
    ("mlp.gate", "mlp.gate_proj"),
    ("mlp.up", "mlp.up_proj"),
    ("mlp.down", "mlp.down_proj"),
)


def llama_like(model: Any, weights: dict[str, torch.Tensor]) -> Any:
    """LlamaForCausalLM of the shape of the plan's ``model``, with the decoder's ``weights``."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=model.vocab_size,
        hidden_size=model.hidden_size,
        intermediate_size=model.intermediate_size,
        num_hidden_layers=model.num_layers,
        num_attention_heads=model.num_heads,
        num_key_value_heads=model.num_kv_heads,
        rms_norm_eps=model.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": model.rope_theta},
        tie_word_embeddings=model.tie_embeddings,
        use_cache=False,
    )
    llama = LlamaForCausalLM(config)
    llama.load_state_dict({name_there(name): tensor for name, tensor in weights.items()})
    return llama


def name_there(name: str) -> str:
    """What Llama calls a weight of the decoder."""
    if name.startswith("norm."):
        return f"model.{name}"
    if name.startswith("head."):
        return f"lm_{name}"
    for here, there in NAMES:
        name = name.replace(here, there)
    return name
