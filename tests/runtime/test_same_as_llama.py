"""The decoder computes what transformers' Llama computes with the same weights: logits and every gradient.

Both are fp32 and sum in other orders, so they agree to the last bits: 1e-5 of the largest logit or gradient.
"""

from __future__ import annotations

import pytest
import torch

from cfgc_runtime.export.llama import llama_name
from cfgc_runtime.models.decoder import build_model
from tests.runtime.llama import llama_like
from tests.runtime.test_model import config, loss_of, tokens

TOLERANCE = 1e-5


@pytest.mark.covers(
    "model.hidden_size", "model.num_layers", "model.num_heads", "model.num_kv_heads", "model.intermediate_size",
    "model.norm_eps", "model.rope_theta", "model.tie_embeddings", "model.vocab_size", "model.activation",
)  # fmt: skip
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("changed", [{"num_kv_heads": 4}, {"num_kv_heads": 1, "rope_theta": 5e5, "norm_eps": 1e-2}])
def test_logits_and_gradients_are_llamas(tied: bool, changed: dict[str, float]) -> None:
    planned = config(tie_embeddings=tied, initializer_range=0.2, **changed)
    ours = build_model(planned, seed=5)
    theirs = llama_like(planned, ours.state_dict())
    batch = tokens(24)
    logits, expected = ours(batch[:, :-1]), theirs(batch[:, :-1]).logits
    assert expected.std() > 0.5, "logits of about 0 would agree whatever the model is"
    assert (logits - expected).abs().max() < TOLERANCE * expected.abs().max()

    loss_of(ours, batch).mean().backward()
    theirs(batch, labels=batch).loss.backward()  # its own shift and its own mean
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        other = gradients[llama_name(name)].grad
        assert parameter.grad is not None
        assert other is not None
        assert (parameter.grad - other).abs().max() < TOLERANCE * other.abs().max(), name


def test_a_slightly_different_model_would_have_been_noticed() -> None:
    planned = config(initializer_range=0.2)
    ours = build_model(planned, seed=5)
    weights = ours.state_dict()
    planned.norm_eps = 0.1
    with torch.no_grad():
        difference = (ours(tokens()) - llama_like(planned, weights)(tokens()).logits).abs().max()
    assert difference > 1000 * TOLERANCE
