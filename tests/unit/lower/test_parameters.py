"""The compiler's count of weights is the runtime's."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from cfgc_runtime.models.decoder import Decoder
from tests.unit.lower.planning import plan_of

VARIANTS = list(itertools.product(("swiglu", "gelu", "relu"), (True, False), (4, 2, 1)))


@pytest.mark.parametrize(("activation", "tied", "kv_heads"), VARIANTS)
def test_parameters_are_those_of_the_runtime(activation: str, tied: bool, kv_heads: int) -> None:
    plan = plan_of({"model": {"activation": activation, "tie_embeddings": tied, "num_kv_heads": kv_heads}})
    model = Decoder(SimpleNamespace(**asdict(plan.model)))
    assert sum(parameter.numel() for parameter in model.parameters()) == plan.model.parameters
