"""Sizes of configurations are those of the models that transformers makes of them, or unknown."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cfgc.arithmetic.huggingface import sizes_of_config

LLAMA = {
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "tie_word_embeddings": False,
    "max_position_embeddings": 64,
}
GPT2 = {"vocab_size": 320, "n_positions": 64, "n_embd": 32, "n_layer": 3, "n_head": 4, "resid_pdrop": 0.0}


@pytest.mark.parametrize(
    "config",
    [
        LLAMA | {"model_type": "llama"},
        LLAMA | {"model_type": "llama", "tie_word_embeddings": True, "num_key_value_heads": 4},
        LLAMA | {"model_type": "mistral"},
        LLAMA | {"model_type": "qwen2"},
        GPT2 | {"model_type": "gpt2"},
    ],
)
def test_the_count_is_the_models_own(config: dict[str, Any]) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
    sizes = sizes_of_config(config)
    assert sizes is not None
    assert sizes.parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": "llama"},
        LLAMA | {"model_type": "falcon"},
        LLAMA | {"model_type": "llama", "attention_bias": True},
        LLAMA | {"model_type": "llama", "head_dim": 16},
        LLAMA | {"model_type": "llama", "hidden_size": 30},
        LLAMA | {"model_type": "llama", "vocab_size": True},
        GPT2 | {"model_type": "gpt2", "n_inner": 64},
    ],
)
def test_what_is_not_certain_is_unknown(config: dict[str, Any]) -> None:
    assert sizes_of_config(config) is None
