"""The runtime's decoder as a Llama of transformers: the same function under other names.

Both normalise by the root mean square, pair dimension i with i + head_dim / 2 in the rotation, gate with SiLU and share
key/value heads in the same order; neither has biases. An MLP without a gate has no equal there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cfgc_runtime.config import Model

_OUTER: Final = {
    "embedding.weight": "model.embed_tokens.weight",
    "norm.weight": "model.norm.weight",
    "head.weight": "lm_head.weight",
}
_INNER: Final = {
    "attention_norm": "input_layernorm",
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.output": "self_attn.o_proj",
    "mlp_norm": "post_attention_layernorm",
    "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
}


def is_llama(model: Model) -> bool:
    """Whether transformers' Llama computes what this decoder computes."""
    return model.activation == "swiglu"


def llama_name(name: str) -> str:
    """The name there of the decoder's parameter ``name``."""
    if name in _OUTER:
        return _OUTER[name]
    _, number, inner = name.split(".", 2)
    return f"model.layers.{number}.{_INNER[inner.removesuffix('.weight')]}.weight"


def llama_config(model: Model, dtype: str, end_token: int | None) -> dict[str, Any]:
    """The content of config.json; ``dtype`` is that of the weights."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": model.vocab_size,
        "hidden_size": model.hidden_size,
        "intermediate_size": model.intermediate_size,
        "num_hidden_layers": model.num_layers,
        "num_attention_heads": model.num_heads,
        "num_key_value_heads": model.num_kv_heads,
        "head_dim": model.head_dim,
        "max_position_embeddings": model.max_sequence_length,
        "rms_norm_eps": model.norm_eps,
        "rope_theta": model.rope_theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": model.rope_theta},
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "attention_dropout": model.attention_dropout,
        "initializer_range": model.initializer_range,
        "tie_word_embeddings": model.tie_embeddings,
        "bos_token_id": None,
        "eos_token_id": end_token,
        "dtype": dtype,
        "torch_dtype": dtype,  # its name before transformers 4.56
    }
