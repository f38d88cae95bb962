"""Models of transformers, built on the node: tiny ones, made here."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cfgc_runtime.errors import NO_INPUT, WRONG_WORLD, Failure
from cfgc_runtime.models.causality import check_causal
from cfgc_runtime.models.dense import check_dense
from cfgc_runtime.models.fitting import check_fit
from cfgc_runtime.models.huggingface import build_model
from cfgc_runtime.models.losses import cross_entropy

pytestmark = pytest.mark.covers("model.kind", "model.path", "model.config", "model.from_weights")

TINY = {
    "model_type": "llama",
    "vocab_size": 300,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "tie_word_embeddings": False,
}


def planned(said: dict[str, Any] | None = None, path: Path | None = None, **changed: Any) -> Any:
    settings = {
        "kind": "huggingface",
        "path": SimpleNamespace(base="absolute", name="", path=str(path or "")),
        "config": json.dumps(said) if said else "",
        "from_weights": False,
        "attention": "sdpa",
        "activation_checkpointing": False,
        "vocab_size": 0,
        "max_sequence_length": 0,
        "parameters": 0,
    }
    return SimpleNamespace(**settings | changed)


def loss_of(model: torch.nn.Module) -> torch.Tensor:
    tokens = torch.randint(0, 257, (2, 17), generator=torch.Generator().manual_seed(0))
    return cross_entropy(model(input_ids=tokens[:, :-1]), {"labels": tokens[:, 1:]}).mean()


def refused(planned: Any) -> Failure:
    with pytest.raises(Failure) as failure:
        build_model(planned, seed=1)
    return failure.value


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with config.json and the weights of seed 5."""
    directory = tmp_path_factory.mktemp("saved")
    model: Any = build_model(planned(TINY), seed=5)
    model.save_pretrained(directory)
    return directory


def test_first_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = build_model(planned(TINY), seed=5).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    again, other = build_model(planned(TINY), seed=5).state_dict(), build_model(planned(TINY), seed=6).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], other["lm_head.weight"])
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "opt", "qwen2", "mistral"])
def test_architectures_of_all_sorts_learn_next_tokens(kind: str) -> None:
    plain = {key: value for key, value in TINY.items() if not key.startswith(("num_key", "inter"))}
    sizes: dict[str, dict[str, Any]] = {
        "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 32, "vocab_size": 300},
        "gpt_neox": plain | {"intermediate_size": 24},
        "opt": plain | {"ffn_dim": 24, "word_embed_proj_dim": 16, "pad_token_id": 1},
    }
    model = build_model(planned(sizes.get(kind, TINY) | {"model_type": kind}), seed=1)
    assert model.training
    before = loss_of(model)
    before.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.sub_(0.1 * parameter.grad)
    assert 5.0 < before.item() < 7.0
    assert loss_of(model.eval()).item() < before.item()


def test_a_directory_gives_the_shape_and_on_request_the_weights(saved: Path) -> None:
    anew = build_model(planned(path=saved), seed=7)
    loaded = build_model(planned(path=saved, from_weights=True), seed=7)
    original = build_model(planned(TINY), seed=5)
    assert loaded.training
    assert all(torch.equal(one, other) for one, other in zip(loaded.parameters(), original.parameters(), strict=True))
    assert loss_of(anew).item() != loss_of(original).item()
    assert loss_of(loaded).item() == loss_of(original).item()


def test_weights_that_are_not_all_there_are_refused(saved: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(saved / "model.safetensors")
    (tmp_path / "config.json").write_text((saved / "config.json").read_text())
    assert "cannot be loaded" in str(refused(planned(path=tmp_path, from_weights=True)))
    del weights["lm_head.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    failure = refused(planned(path=tmp_path, from_weights=True))
    assert failure.code == NO_INPUT
    assert "lack lm_head.weight" in str(failure)


def test_a_directory_without_a_model_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path} has no config.json" in str(refused(planned(path=tmp_path)))
    (tmp_path / "config.json").write_text("{")
    assert "describes no model" in str(refused(planned(path=tmp_path)))


def test_a_configuration_that_would_be_ignored_in_part_is_refused() -> None:
    failure = refused(planned(TINY | {"num_hidden_layer": 3}))
    assert failure.code == WRONG_WORLD
    assert "`num_hidden_layer`" in str(failure)
    assert "did you mean `num_hidden_layers`" in str(failure)
    assert "describes no model" in str(refused(planned(TINY | {"model_type": "lama"})))
    assert "describes no model" in str(refused(planned(TINY | {"hidden_size": "wide"})))
    assert "cannot be made" in str(refused(planned({"model_type": "t5"})))


@pytest.mark.parametrize(
    "said",
    [
        {"model_type": "mixtral"},
        {"model_type": "qwen2_moe"},
        {"model_type": "deepseek_v3"},
        {"model_type": "dbrx"},
        {"model_type": "jamba", "num_experts": 4},
    ],
)
def test_a_mixture_of_experts_is_refused_wherever_it_is_described(said: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(said))
    for one, place in ((planned(said), "[model.config]"), (planned(path=tmp_path), f"{tmp_path}/config.json")):
        failure = refused(one)
        assert failure.code == WRONG_WORLD
        assert f"{place} describes a mixture of experts ({said['model_type']}, " in str(failure)


def test_experts_that_are_turned_off_are_none() -> None:
    check_dense(SimpleNamespace(to_dict=lambda: {"is_moe": False, "num_experts": 64}), "here")
    check_dense(SimpleNamespace(to_dict=lambda: {"num_local_experts": 0, "text_config": {"num_experts": 1}}), "here")


@pytest.mark.parametrize("kind", ["qwen2", "mistral"])
def test_heads_that_transformers_fills_in_must_fit(kind: str) -> None:
    said = {key: value for key, value in TINY.items() if key != "num_key_value_heads"} | {"model_type": kind}
    failure = refused(planned(said))
    assert failure.code == WRONG_WORLD
    assert "4 attention heads, which cannot share" in str(failure)
    assert "`num_key_value_heads = 4`" in str(failure)
    loss_of(build_model(planned(said | {"num_key_value_heads": 4}), seed=1)).backward()


BERT = {key: TINY[key] for key in TINY if key not in ("num_key_value_heads", "tie_word_embeddings")}


def test_a_model_that_sees_its_labels_is_refused(tmp_path: Path) -> None:
    said = BERT | {"model_type": "bert"}
    (tmp_path / "config.json").write_text(json.dumps(said))
    for one, place in ((planned(said), "[model.config]"), (planned(path=tmp_path), f"{tmp_path}/config.json")):
        failure = refused(one)
        assert failure.code == WRONG_WORLD
        assert f"{place} describes a bert model that is not causal" in str(failure)
        assert "`is_decoder = true`" in str(failure)
    loss_of(build_model(planned(said | {"is_decoder": True}), seed=1)).backward()


def test_looking_at_a_model_changes_nothing_and_spends_no_random_number() -> None:
    gpt2 = {"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 3, "vocab_size": 300}
    for said in (TINY, gpt2):
        model: Any = build_model(planned(said), seed=1)
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        modes: list[tuple[bool, str]] = []

        def note(one: Any, _: Any, modes: list[tuple[bool, str]] = modes) -> None:
            modes.append((one.training, one.config._attn_implementation))

        model.register_forward_pre_hook(note)
        before = torch.get_rng_state()
        model.config._attn_implementation = "flash_attention_2"
        check_causal(model, "here")
        assert model.config._attn_implementation == "flash_attention_2"
        assert modes == [(False, "eager")]
        assert model.training
        assert torch.equal(before, torch.get_rng_state())
        assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


@pytest.mark.covers("model.attention")
def test_an_architecture_without_that_attention_is_told_another() -> None:
    said = {"model_type": "bloom", "hidden_size": 16, "n_layer": 2, "n_head": 4, "vocab_size": 300}
    failure = refused(planned(said))
    assert failure.code == WRONG_WORLD
    assert str(failure) == ('transformers has no sdpa attention for bloom models; set `model.attention = "eager"`')
    loss_of(build_model(planned(said, attention="eager"), seed=1)).backward()


def test_a_count_that_is_planned_is_checked() -> None:
    count = sum(one.numel() for one in build_model(planned(TINY), seed=1).parameters())
    build_model(planned(TINY, parameters=count), seed=1)
    assert f"has {count:,} parameters, the plan says 7" in str(refused(planned(TINY, parameters=7)))


@pytest.mark.covers("model.activation_checkpointing")
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_recomputing_activations_changes_no_gradient(kind: str) -> None:
    gpt2 = {"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 4, "vocab_size": 300}
    said = TINY if kind == "llama" else gpt2 | {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
    stored = build_model(planned(said), seed=1)
    recomputed: Any = build_model(planned(said, activation_checkpointing=True), seed=1)
    assert recomputed.is_gradient_checkpointing
    loss_of(stored).backward()
    loss_of(recomputed).backward()
    for one, other in zip(stored.parameters(), recomputed.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or (other.grad is not None and torch.equal(one.grad, other.grad))


@pytest.mark.covers("model.attention")
def test_eager_attention_computes_the_same() -> None:
    eager: Any = build_model(planned(TINY, attention="eager"), seed=1)
    assert eager.config._attn_implementation == "eager"
    assert loss_of(eager).item() == pytest.approx(loss_of(build_model(planned(TINY), seed=1)).item(), rel=1e-5)


def test_what_the_model_cannot_read_is_refused_at_the_start() -> None:
    model = build_model(planned(TINY), seed=1)
    check_fit(model, vocabulary=300, length=32)
    with pytest.raises(Failure, match=r"300 token ids, the tokenizer makes 301"):
        check_fit(model, vocabulary=301, length=32)
    with pytest.raises(Failure, match=r"33 tokens are longer than the 32 that the model can read"):
        check_fit(model, vocabulary=300, length=33)
