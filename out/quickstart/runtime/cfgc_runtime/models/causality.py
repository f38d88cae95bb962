"""Whether a model reads its tokens from the left alone: one that sees what comes next learns to copy its labels."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.errors import WRONG_WORLD, Failure
from cfgc_runtime.models.fitting import embedding_rows, longest_of
from cfgc_runtime.models.losses import logits_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH = 16
"""Tokens of the probe; fewer where the model reads fewer."""
ROUNDING = 100
"""How many times the last digit of its largest logit a causal model may differ by: the order of its sums."""


def check_causal(model: Any, place: str) -> None:
    """Refuse a model whose logits depend on later tokens. ``place`` is where its configuration is written.

    Takes the forward pass of two samples that differ in their second half. Nothing of the model changes, and no random
    number is spent. A model that computes only on a GPU is not judged. Raises ``Failure``.
    """
    rows = embedding_rows(model)
    half = min(LENGTH, longest_of(model) or LENGTH) // 2
    if rows < 2 or half < 1:
        return
    first = torch.arange(2 * half) % rows
    second = torch.cat([first[:half], (first[half:] + 1) % rows])
    try:
        with _looked_at(model):
            one, other = logits_of(model(input_ids=torch.stack([first, second])))[:, :half]
    except Exception:  # whatever a kernel for GPUs says of a CPU
        return
    allowed = ROUNDING * torch.finfo(one.dtype).eps * one.abs().max()
    if (one - other).abs().max() > allowed:
        raise Failure(
            WRONG_WORLD,
            f"{place} describes a {model.config.model_type} model that is not causal: it sees the tokens that it is to "
            "predict; write `is_decoder = true` there if the architecture reads it (BERT and its relatives), or take "
            "another model",
        )


@contextmanager
def _looked_at(model: Any) -> Iterator[None]:
    """Evaluation mode, no gradients, random numbers of their own, and attention that a CPU can compute."""
    training, attention = model.training, model.config._attn_implementation
    model.eval()
    if attention == "flash_attention_2":
        model.config._attn_implementation = "eager"
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=()):
            yield
    finally:
        model.config._attn_implementation = attention
        model.train(training)
