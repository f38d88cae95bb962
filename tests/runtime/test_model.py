"""The decoder transformer."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cfgc_runtime.errors import WRONG_WORLD, Failure
from cfgc_runtime.models.attention import check_attention
from cfgc_runtime.models.decoder import Decoder, build_model
from cfgc_runtime.models.fitting import check_fit
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.optimizers.groups import parameter_groups


def config(**changed: Any) -> Any:
    settings = {
        "vocab_size": 64,
        "hidden_size": 16,
        "num_layers": 2,
        "num_heads": 4,
        "num_kv_heads": 2,
        "head_dim": 4,
        "intermediate_size": 24,
        "max_sequence_length": 64,
        "activation": "swiglu",
        "norm_eps": 1e-5,
        "rope_theta": 1e4,
        "tie_embeddings": True,
        "attention": "sdpa",
        "attention_dropout": 0.0,
        "hidden_dropout": 0.0,
        "initializer_range": 0.02,
        "activation_checkpointing": False,
    } | changed
    made = SimpleNamespace(**settings)
    made.parameters = sum(one.numel() for one in Decoder(made).parameters())
    return made


def tokens(length: int = 12) -> torch.Tensor:
    return torch.randint(0, 64, (3, length + 1), generator=torch.Generator().manual_seed(0))


def loss_of(model: torch.nn.Module, all_tokens: torch.Tensor) -> torch.Tensor:
    return cross_entropy(model(all_tokens[:, :-1]), {"labels": all_tokens[:, 1:]})


@pytest.mark.covers("experiment.seed")
def test_first_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = build_model(config(), seed=5).state_dict()
    torch.manual_seed(2)
    again, other = build_model(config(), seed=5).state_dict(), build_model(config(), seed=6).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["embedding.weight"], other["embedding.weight"])


@pytest.mark.covers("model.initializer_range")
@pytest.mark.parametrize("wide", [0.02, 0.1])
def test_first_weights_are_as_wide_as_the_spec_says(wide: float) -> None:
    first = build_model(config(initializer_range=wide), seed=5).state_dict()
    assert first["embedding.weight"].std().item() == pytest.approx(wide, rel=0.1)
    assert torch.equal(first["norm.weight"], torch.ones(16))


def test_an_untrained_model_knows_nothing() -> None:
    loss = loss_of(build_model(config(), seed=5), tokens())
    assert loss.shape == (3,)
    assert loss.mean().item() == pytest.approx(math.log(64), abs=0.1)


def test_a_plan_with_another_size_is_refused() -> None:
    wrong = config()
    wrong.parameters += 1
    with pytest.raises(Failure, match="parameters, the plan says") as caught:
        build_model(wrong, seed=5)
    assert caught.value.code == WRONG_WORLD


@pytest.mark.covers("model.attention", "model.num_kv_heads")
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_all_ways_to_attend_agree(kv_heads: int) -> None:
    """Torch has a flash kernel for CPUs too, which a plan cannot ask for."""
    losses = [
        loss_of(build_model(config(attention=kind, num_kv_heads=kv_heads, initializer_range=0.3), seed=5), tokens())
        for kind in ("sdpa", "eager", "flash_attention_2")
    ]
    assert torch.allclose(losses[0], losses[1], atol=1e-5)
    assert torch.allclose(losses[0], losses[2], atol=1e-5)


def test_a_flash_kernel_that_is_not_there_is_said_before_the_first_step() -> None:
    device = torch.device("cpu")
    settings = config(kind="decoder", attention="flash_attention_2")
    check_attention(settings, "bf16", device)
    with pytest.raises(Failure, match=r"no flash attention kernel for heads of 4 bf16 features on cpu"):
        check_attention(config(kind="decoder", attention="flash_attention_2", attention_dropout=0.5), "bf16", device)
    check_attention(config(kind="decoder", attention_dropout=0.5), "bf16", device)


@pytest.mark.parametrize("kind", ["sdpa", "eager", "flash_attention_2"])
def test_no_position_sees_a_later_one(kind: str) -> None:
    model = build_model(config(attention=kind, initializer_range=0.3), seed=5).eval()
    seen: list[torch.Tensor] = []
    model.head.register_forward_hook(lambda _module, _inputs, logits: seen.append(logits))
    first = tokens()
    second = first.clone()
    second[:, 7:] = (second[:, 7:] + 1) % 64
    with torch.no_grad():
        model(first)
        model(second)
    assert torch.allclose(seen[0][:, :7], seen[1][:, :7], atol=1e-6)
    assert not torch.allclose(seen[0][:, 7:], seen[1][:, 7:], atol=1e-3)


def test_attention_depends_on_distance_only() -> None:
    """Rotary positions: the same tokens later in the sequence give the same logits when nothing stands before them."""
    from cfgc_runtime.models.decoder import _angles, _rotate

    cos, sin = _angles(torch.arange(20), config())
    query, key = torch.randn(1, 1, 1, 4), torch.randn(1, 1, 1, 4)

    def score(at: int, other: int) -> float:
        turned = _rotate(query, cos[at : at + 1], sin[at : at + 1])
        return (turned * _rotate(key, cos[other : other + 1], sin[other : other + 1])).sum().item()

    assert score(5, 2) == pytest.approx(score(15, 12), abs=1e-5)
    assert score(5, 2) != pytest.approx(score(5, 4), abs=1e-3)


@pytest.mark.covers("model.activation_checkpointing", "model.activation", "model.hidden_dropout")
@pytest.mark.parametrize("activation", ["swiglu", "gelu", "relu"])
@pytest.mark.parametrize("tied", [True, False])
def test_recomputing_activations_changes_no_gradient(activation: str, tied: bool) -> None:
    grads = []
    for recompute in (False, True):
        shape = config(
            activation=activation, tie_embeddings=tied, activation_checkpointing=recompute, hidden_dropout=0.2
        )
        model = build_model(shape, seed=5)
        torch.manual_seed(0)
        loss_of(model, tokens()).mean().backward()
        grads.append([one.grad for one in model.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*grads, strict=True))


@pytest.mark.covers("model.tie_embeddings")
def test_tying_shares_one_matrix() -> None:
    assert config(tie_embeddings=False).parameters - config().parameters == 64 * 16


@pytest.mark.covers("model.hidden_dropout", "model.attention_dropout")
def test_dropout_is_off_in_evaluation() -> None:
    model = build_model(config(hidden_dropout=0.5, attention_dropout=0.5, initializer_range=0.3), seed=5)
    assert not torch.equal(model(tokens()), model(tokens()))
    model.eval()
    assert torch.equal(model(tokens()), model(tokens()))


@pytest.mark.covers("training.optimizer.decay_norm_and_bias")
@pytest.mark.parametrize(("decay_all", "groups"), [(False, [0.1, 0.0]), (True, [0.1])])
def test_norms_are_not_decayed_unless_asked(decay_all: bool, groups: list[float]) -> None:
    model = build_model(config(), seed=5)
    rule: Any = SimpleNamespace(type="adamw", weight_decay=0.1, decay_norm_and_bias=decay_all, groups=())
    made = parameter_groups(model, rule)
    assert [group["weight_decay"] for group in made] == groups
    assert sum(len(group["params"]) for group in made) == len(list(model.parameters()))
    if not decay_all:
        assert all(one.dim() == 1 for one in made[1]["params"])


@pytest.mark.covers("model.max_sequence_length")
def test_longer_samples_than_planned_are_refused() -> None:
    model = build_model(config(max_sequence_length=16), seed=5)
    check_fit(model, vocabulary=64, length=16)
    with pytest.raises(Failure, match="samples of 17 tokens are longer than the 16 that the model can read"):
        check_fit(model, vocabulary=64, length=17)
