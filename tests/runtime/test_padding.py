"""Padding on either side changes no loss and no gradient, on our decoder and on one of transformers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc_runtime.data.rows import PaddedRows
from cfgc_runtime.data.samples import collate
from cfgc_runtime.models.decoder import build_model
from cfgc_runtime.models.losses import cross_entropy
from tests.runtime.documents import data, documents
from tests.runtime.test_model import config

pytestmark = pytest.mark.covers("data.padding_side", "data.packing")


def batch_of(texts: list[list[int]], side: str, pad_to: str = "longest") -> dict[str, torch.Tensor]:
    rows = PaddedRows([documents(*texts)], 12, truncation=True)
    plan = data(packing=False, sequence_length=12, padding_side=side, pad_to=pad_to)
    samples = list(range(len(rows)))
    return collate([rows.row(sample) for sample in samples], samples, [1.0] * len(rows), plan, 63).batch


def losses_of(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return cross_entropy(model(**{name: value for name, value in batch.items() if name != "labels"}), batch)


def check(model: Any, texts: list[list[int]]) -> None:
    alone = torch.cat([losses_of(model, batch_of([text], "right")) for text in texts])
    expected: list[torch.Tensor] = []
    for side, pad_to in (("right", "longest"), ("left", "longest"), ("left", "sequence_length")):
        losses = losses_of(model, batch_of(texts, side, pad_to))
        torch.testing.assert_close(losses, alone, rtol=1e-5, atol=1e-6)
        model.zero_grad()
        losses.mean().backward()
        found = [one.grad.clone() for one in model.parameters() if one.grad is not None]
        expected = expected or found
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


texts = st.lists(st.lists(st.integers(0, 62), min_size=2, max_size=13), min_size=1, max_size=4)


@settings(max_examples=5, deadline=None)
@given(texts=texts, attention=st.sampled_from(["sdpa", "eager"]))
def test_our_decoder(texts: list[list[int]], attention: str) -> None:
    check(build_model(config(attention=attention), seed=1), texts)


def test_a_decoder_of_transformers() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=64, **shape))
    check(model, [[1, 2, 3], [4, 5, 6, 7, 8, 9, 10, 11], [12, 13]])
