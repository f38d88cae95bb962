"""Configurations of transformers that are refused by name: experts, and heads that do not share evenly."""

from __future__ import annotations

from typing import Any

import pytest

from cfgc.schema.spec import Spec
from cfgc.validate.rules.experts import config_heads_share_evenly, model_is_dense
from cfgc.validate.schema_check import check_schema
from tests.unit.rules.building import SMALL, resolved_of

DENSE: dict[str, Any] = {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4}


def found(rule: Any, config: dict[str, Any]) -> list[Any]:
    resolved = resolved_of({**SMALL, "model": {"kind": "huggingface", "config": config}})
    spec = check_schema(resolved)
    assert isinstance(spec, Spec)
    return list(rule(spec, resolved))


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({"model_type": "mixtral"}, 'model.config.model_type = "mixtral"'),
        ({"model_type": "some_new_moe"}, 'model.config.model_type = "some_new_moe"'),
        ({"num_local_experts": 8}, "model.config.num_local_experts = 8"),
        ({"model_type": "jamba", "num_experts": 16}, "model.config.num_experts = 16"),
        ({"model_type": "dbrx", "ffn_config": {"moe_num_experts": 4}}, "model.config.ffn_config.moe_num_experts = 4"),
    ],
)
def test_experts_are_refused_where_they_are_written(config: dict[str, Any], shown: str) -> None:
    (finding,) = found(model_is_dense, DENSE | config)
    assert finding.code == "CFG450"
    assert f"`{shown}`" in finding.message


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_local_experts": 0, "model_type": "granitemoehybrid"},
        {"num_experts": 1, "model_type": "jamba"},
        {"num_experts": 64, "is_moe": False, "model_type": "doge"},
    ],
)
def test_a_model_without_experts_is_dense(config: dict[str, Any]) -> None:
    assert found(model_is_dense, DENSE | config) == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "qwen2"}, "32 key and value heads cannot be shared evenly by 4 heads"),
        ({"model_type": "mistral"}, "8 key and value heads cannot be shared evenly by 4 heads"),
        ({"num_key_value_heads": 3}, "3 key and value heads cannot be shared evenly by 4 heads"),
    ],
)
def test_heads_share_evenly(config: dict[str, Any], said: str) -> None:
    (finding,) = found(config_heads_share_evenly, DENSE | config)
    assert (finding.code, finding.message) == ("CFG411", said)
    assert "`num_key_value_heads = 4`" in finding.helps[0]


@pytest.mark.parametrize("config", [{}, {"model_type": "qwen2", "num_key_value_heads": 2}, {"num_attention_heads": 32}])
def test_heads_that_share_evenly_are_none_of_its_business(config: dict[str, Any]) -> None:
    assert found(config_heads_share_evenly, DENSE | config) == []
