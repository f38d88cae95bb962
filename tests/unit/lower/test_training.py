"""What ``[training]`` becomes: the update rule, its groups, the schedule and the intervals."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cfgc.arithmetic.decoder import Shape
from cfgc.arithmetic.parameter_names import decoder_names
from cfgc.diagnostics import Rejected
from cfgc.lower.plan import ParameterGroup
from tests.unit.lower.planning import plan_of

ZERO_2 = {"deepspeed": {"zero": {"stage": 2}}}


def optimizer(**keys: Any) -> dict[str, Any]:
    return {"training": {"optimizer": keys}}


@pytest.mark.parametrize("kind", ["lion", "adagrad"])
def test_deepspeed_is_handed_the_rules_that_it_cannot_build(kind: str) -> None:
    config = plan_of(optimizer(type=kind), ZERO_2).ds_config
    assert "optimizer" not in config
    assert config["zero_allow_untested_optimizer"] is True


def test_fused_adam_is_torchs_adamw_with_its_fused_kernel() -> None:
    section: Any = plan_of(optimizer(type="fused_adam")).ds_config["optimizer"]
    assert section["type"] == "adamw"
    assert section["params"]["torch_adam"]
    assert section["params"]["adam_w_mode"]
    assert section["params"]["fused"]
    plain: Any = plan_of().ds_config["optimizer"]
    assert not plain["params"]["fused"]


@pytest.mark.parametrize("kind", ["lamb", "muon"])
def test_rules_for_whole_weights_are_refused_on_slices(kind: str) -> None:
    assert plan_of(optimizer(type=kind), {"deepspeed": {"zero": {"stage": 0}}}).optimizer.type == kind
    with pytest.raises(Rejected) as rejected:
        plan_of(optimizer(type=kind), ZERO_2)
    assert [found.code for found in rejected.value.diagnostics] == ["CFG487"]


@pytest.mark.covers("training.optimizer.momentum")
def test_momentum_follows_the_rule_unless_given() -> None:
    zero = {"deepspeed": {"zero": {"stage": 0}}}
    assert plan_of(optimizer(type="sgd"), zero).optimizer.momentum == 0.0
    assert plan_of(optimizer(type="muon"), zero).optimizer.momentum == 0.95
    assert plan_of(optimizer(type="muon", momentum=0.8), zero).optimizer.momentum == 0.8


@pytest.mark.covers("training.optimizer.groups")
def test_a_group_decays_as_the_rest_unless_it_says() -> None:
    groups = ({"pattern": "*norm.weight", "weight_decay": 0.3}, {"pattern": "embedding.*", "learning_rate_scale": 0.5})
    assert plan_of(optimizer(weight_decay=0.2, groups=list(groups))).optimizer.groups == (
        ParameterGroup("*norm.weight", 0.3, True, 1.0),
        ParameterGroup("embedding.*", 0.2, False, 0.5),
    )


@pytest.mark.covers("evaluation.every_epochs", "checkpoint.every_epochs")
def test_intervals_in_epochs_become_steps() -> None:
    epochs = {"evaluation": {"every_epochs": 1}, "checkpoint": {"every_epochs": 2}, "data": {"max_train_samples": 3210}}
    plan = plan_of({"checkpoint": {"every_steps": 1000}}, epochs)
    assert (plan.evaluation.every_steps, plan.checkpoint.every_steps) == (100, 200)


@pytest.mark.covers("training.gradient_health.final_clip_value")
def test_gradient_health_takes_the_place_of_the_clipping() -> None:
    plan = plan_of({"training": {"gradient_health": {"enabled": True, "final_clip_value": 0.5}}})
    assert plan.ds_config["gradient_clipping"] == plan.optimizer.gradient_clipping == 0.5


@pytest.mark.parametrize("activation", ["swiglu", "gelu"])
@pytest.mark.parametrize("tied", [True, False])
def test_the_names_of_the_decoder_are_those_of_the_runtimes_model(activation: str, tied: bool) -> None:
    from cfgc_runtime.models.decoder import Decoder

    model: Any = SimpleNamespace(
        vocab_size=64, hidden_size=16, num_layers=2, num_heads=4, num_kv_heads=2, head_dim=4, intermediate_size=24,
        norm_eps=1e-5, hidden_dropout=0.0, activation=activation, tie_embeddings=tied,
    )  # fmt: skip
    shape = Shape(64, 16, 2, 4, 2, 24, activation == "swiglu", tied)
    assert sorted(decoder_names(shape)) == sorted(name for name, _ in Decoder(model).named_parameters())
