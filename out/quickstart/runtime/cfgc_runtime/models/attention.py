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


def _sdpa(query: Tensor, key: Tensor, value: Tensor, visible: Tensor | None, dropout: float) -> Tensor:
    """Whatever kernel torch finds the fastest."""
    return F.scaled_dot_product_attention(query, key, value, visible, dropout, is_causal=visible is None)


def _flash(query: Tensor, key: Tensor, value: Tensor, visible: Tensor | None, dropout: float) -> Tensor:
    """The flash kernel, or an error where there is none for these tensors."""
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return F.scaled_dot_product_attention(query, key, value, visible, dropout, is_causal=visible is None)


def _eager(query: Tensor, key: Tensor, value: Tensor, visible: Tensor | None, dropout: float) -> Tensor:
    """The formula written out, softmax in fp32."""
    scores = (query @ key.transpose(-1, -2)).float() * query.shape[-1] ** -0.5
    seen = _past(query.shape[-2], query.device) if visible is None else visible
    weights = scores.masked_fill(~seen, float("-inf")).softmax(-1).to(value.dtype)
    return F.dropout(weights, dropout) @ value


def visible_positions(attention_mask: Tensor) -> Tensor:
    """Which positions each one sees, bool [batch, 1, length, length], where ``attention_mask`` is 0 for padding.

    Padding sees itself too, since softmax needs something to see.
    """
    length, device = attention_mask.shape[1], attention_mask.device
    seen = _past(length, device) & attention_mask.bool()[:, None, None, :]
    return seen | torch.eye(length, dtype=torch.bool, device=device)


def _past(length: int, device: torch.device) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


ATTENTIONS: Mapping[str, Callable[[Tensor, Tensor, Tensor, Tensor | None, float], Tensor]] = {
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
        torch.autograd.backward(_flash(sample, sample, sample, None, model.attention_dropout).sum())
    except RuntimeError as error:
        raise Failure(
            WRONG_WORLD,
            f"no flash attention kernel for heads of {model.head_dim} {precision} features on {device}: {error}; "
            'set model.attention = "sdpa"',
        ) from None
