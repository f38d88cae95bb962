"""Terms that training adds to the loss: against tokens said again, and against ends that come too early.

Each is an unlikelihood (Welleck et al., "Neural Text Generation with Unlikelihood Training", 2020): -log(1 - p) of a
token that should not come next, with p from the model's softmax. What the labels say is never punished.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from cfgc_runtime.errors import INTERNAL, Failure
from cfgc_runtime.models.losses import IGNORED, logits_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from cfgc_runtime.config import Penalties
    from cfgc_runtime.engine import Loss

_MOST = 1.0 - 1e-6
"""Probabilities are cut here: fp32 has no number between it and 1 whose term would be finite and useful."""


def with_penalties(loss: Loss, penalties: Penalties, end: int) -> Loss:
    """``loss`` plus the plan's penalties, fp32 [micro batch]; ``loss`` itself when there are none.

    ``end`` is the token that ends a text. Raises ``Failure`` for what has no ``input_ids`` [micro batch, length] or no
    logits of them.
    """
    if not (penalties.repetition or penalties.immediate_repetition or penalties.eos):
        return loss

    def penalized(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
        logits = logits_of(outputs)
        if not isinstance(logits, torch.Tensor) or logits.dim() != 3 or "input_ids" not in batch:
            raise Failure(INTERNAL, "`[training.penalties]` need logits [micro batch, length, classes] of input_ids")
        return loss(outputs, batch) + penalty(logits, batch, penalties, end)

    return penalized


def penalty(logits: Tensor, batch: Mapping[str, Tensor], penalties: Penalties, end: int) -> Tensor:
    """The weighted terms of ``logits`` [batch, length, classes]: a mean over each sample's labels, fp32 [batch].

    At position t, with the inputs x, the label y and the model's p:

    - repetition: the sum over the different tokens c of x_1 … x_t other than y_t;
    - immediate_repetition: c = x_t, unless it is y_t;
    - eos: c = ``end``, unless it is y_t, where fewer than ``min_sequence_length`` tokens were read since the last end.
    """
    inputs, labels = batch["input_ids"], batch["labels"]
    shown = batch.get("attention_mask", torch.ones_like(inputs)) > 0
    logits = logits.float()
    whole = logits.logsumexp(-1)
    terms = torch.zeros_like(whole)
    if penalties.repetition:
        terms = terms + penalties.repetition * _again(logits, whole, inputs, labels, shown)
    if penalties.immediate_repetition:
        own = _unlikely(logits.gather(-1, inputs.unsqueeze(-1)).squeeze(-1), whole)
        terms = terms + penalties.immediate_repetition * own * (inputs != labels)
    if penalties.eos:
        early = (_read_since((inputs == end) | ~shown) < penalties.min_sequence_length) & (labels != end)
        terms = terms + penalties.eos * _unlikely(logits[..., end], whole) * early
    counted = labels != IGNORED
    return (terms * counted).sum(1) / counted.sum(1).clamp(min=1)


def _unlikely(logit: Tensor, whole: Tensor) -> Tensor:
    """-log(1 - p) of tokens with ``logit``, where ``whole`` is the logarithm of the sum of all exponentials."""
    return -torch.log1p(-(logit - whole).exp().clamp(max=_MOST))


def _again(logits: Tensor, whole: Tensor, inputs: Tensor, labels: Tensor, shown: Tensor) -> Tensor:
    """Sum over the different tokens read so far, [batch, length]; no tensor is larger than length × length a sample."""
    length = inputs.shape[1]
    read = torch.ones(length, length, dtype=torch.bool, device=inputs.device).tril()
    before = (inputs.unsqueeze(1) == inputs.unsqueeze(2)) & read.tril(-1) & shown.unsqueeze(1)
    first = ~before.any(-1)
    candidates = inputs.unsqueeze(1).expand(-1, length, -1)
    counted = read & (first & shown).unsqueeze(1) & (candidates != labels.unsqueeze(-1))
    return (_unlikely(logits.gather(-1, candidates), whole.unsqueeze(-1)) * counted).sum(-1)


def _read_since(ends: Tensor) -> Tensor:
    """How many tokens of its text each position has read, itself counted: 0 at an end, [batch, length]."""
    positions = torch.arange(1, ends.shape[1] + 1, device=ends.device).expand_as(ends)
    return positions - (positions * ends).cummax(1).values
