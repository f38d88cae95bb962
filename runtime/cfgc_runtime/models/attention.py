"""Ways to compute causal attention over [batch, heads, length, head_dim]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812 - the usual name
from torch.nn.attention import SDPBackend, sdpa_kernel

from cfgc_runtime.errors import WRONG_WORLD, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from cfgc_runtime.config import AnyModel


def _sdpa(query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Tensor:
    """Whatever kernel torch finds the fastest."""
    return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)


def _flash(query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Tensor:
    """The flash kernel, or an error where there is none for these tensors."""
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)


def _eager(query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Tensor:
    """The formula written out, softmax in fp32."""
    length = query.shape[-2]
    scores = (query @ key.transpose(-1, -2)).float() * query.shape[-1] ** -0.5
    future = torch.ones(length, length, dtype=torch.bool, device=query.device).triu(1)
    weights = scores.masked_fill(future, float("-inf")).softmax(-1).to(value.dtype)
    return F.dropout(weights, dropout) @ value


ATTENTIONS: Mapping[str, Callable[[Tensor, Tensor, Tensor, float], Tensor]] = {
    "sdpa": _sdpa,
    "eager": _eager,
    "flash_attention_2": _flash,
}
"""By what the plan calls them."""


def check_attention(model: AnyModel, precision: str, device: torch.device) -> None:
    """The device has the kernel that the plan names. Raises ``Failure``; better now than at the first step."""
    if model.kind != "decoder" or model.attention != "flash_attention_2":
        return
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32)
    sample = torch.zeros(1, 1, 8, model.head_dim, dtype=dtype, device=device, requires_grad=True)
    try:
        _flash(sample, sample, sample, model.attention_dropout).sum().backward()
    except RuntimeError as error:
        raise Failure(
            WRONG_WORLD,
            f"no flash attention kernel for heads of {model.head_dim} {precision} features on {device}: {error}; "
            'set model.attention = "sdpa"',
        ) from None
