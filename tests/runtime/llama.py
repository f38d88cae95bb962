"""The runtime's decoder as transformers' Llama, which others wrote and many have trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.export.llama import llama_config, llama_name

if TYPE_CHECKING:
    import torch


def llama_like(model: Any, weights: dict[str, torch.Tensor]) -> Any:
    """LlamaForCausalLM of the shape of the plan's ``model``, with the decoder's ``weights``."""
    from transformers import LlamaConfig, LlamaForCausalLM

    llama = LlamaForCausalLM(LlamaConfig(**llama_config(model, "float32", None), use_cache=False))
    llama.load_state_dict({llama_name(name): tensor for name, tensor in weights.items()})
    return llama
