"""Kinds of models: what each is made of, and what nobody knows of it before it is there."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from cfgc.diagnostics import Rejected
from cfgc.emit.bundle import emit_bundle
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import HuggingFaceModel, Model, NodePath, Plan
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir

REST = """
[experiment]
name = "kinds"
[training]
max_steps = 10
global_batch_size = 4
micro_batch_size = 2
[data]
sequence_length = 32
[[data.sources]]
name = "text"
path = "text"
"""

INLINE = """
[model]
kind = "huggingface"
[model.config]
model_type = "llama"
vocab_size = 320
hidden_size = 32
intermediate_size = 48
num_hidden_layers = 2
num_attention_heads = 4
num_key_value_heads = 2
tie_word_embeddings = false
max_position_embeddings = 64
"""


def plan_of(model: str, *overrides: str) -> Plan:
    reader = MemoryReader({"spec.toml": model + REST}, DiskReader(shipped_dir("specs"), shipped_dir("specs")))
    plan = plan_spec(reader, "spec.toml", overrides)
    assert isinstance(plan, Plan)
    return plan


def codes(model: str, *overrides: str) -> set[str]:
    with pytest.raises(Rejected) as rejected:
        plan_of(model, *overrides)
    return {finding.code for finding in rejected.value.diagnostics}


def test_a_directory_leaves_every_size_to_the_node() -> None:
    plan = plan_of('[model]\nkind = "huggingface"\npath = "models/llama"\nfrom_weights = true')
    model = plan.model
    assert isinstance(model, HuggingFaceModel)
    assert (model.path, model.config, model.from_weights) == (NodePath("cwd", "", "models/llama"), "", True)
    assert (model.vocab_size, model.max_sequence_length, model.parameters) == (0, 0, 0)
    assert (plan.estimate.flops_per_token, plan.estimate.parameter_bytes, plan.checkpoint.bytes_each) == (0, 0, 0)
    report = emit_bundle(plan).files[PurePosixPath("PLAN.md")].decode()
    assert "| parameters | unknown |" in report
    assert "no limit was checked" in report
    assert "unknown size" in report
    assert "| model | `./models/llama` | read: config.json and weights |" in report


def test_a_configuration_says_what_it_says() -> None:
    plan = plan_of(INLINE)
    model = plan.model
    assert isinstance(model, HuggingFaceModel)
    assert json.loads(model.config)["model_type"] == "llama"
    assert (model.vocab_size, model.max_sequence_length) == (320, 64)
    assert model.parameters == 2 * 320 * 32 + 2 * (32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 48 + 64) + 32
    assert plan.estimate.parameter_bytes == 2 * model.parameters
    assert plan.estimate.flops_per_token > 6 * 320 * 32


def test_an_unknown_configuration_is_counted_on_the_node() -> None:
    plan = plan_of(INLINE.replace("llama", "cohere"))
    assert plan.model.parameters == 0
    assert plan.model.vocab_size == 320


def test_rules_about_sizes_know_the_configuration() -> None:
    assert codes(INLINE, "model.config.vocab_size=200") == {"CFG414"}
    assert codes(INLINE, "model.config.max_position_embeddings=16") == {"CFG413"}
    assert codes(INLINE, "hardware.memory=100000") == {"CFG445"}
    assert plan_of(INLINE.replace("llama", "cohere"), "hardware.memory=100000").model.parameters == 0


def test_a_decoder_still_needs_its_shape() -> None:
    assert codes("[model]\nvocab_size = 320") == {"CFG302"}
    assert codes('[model]\nkind = "decoder"\nhidden_size = 32\nnum_heads = 4') == {"CFG302"}


def test_keys_of_another_kind_are_refused() -> None:
    assert codes(INLINE.replace("[model.config]", "norm_eps = 1e-5\n[model.config]")) == {"CFG466"}
    shape = "hidden_size = 32\nnum_layers = 2\nnum_heads = 4\n"
    assert codes(f'[model]\n{shape}path = "models/llama"') == {"CFG466"}
    assert codes(f"[model]\n{shape}from_weights = true") == {"CFG466"}


def test_what_is_written_out_builds_the_same_again() -> None:
    plan = plan_of(INLINE)
    again = emit_bundle(plan).files[PurePosixPath("resolved.toml")].decode()
    assert "num_heads" not in again
    reader = MemoryReader({"spec.toml": again}, DiskReader(shipped_dir("specs"), shipped_dir("specs")))
    same = plan_spec(reader, "spec.toml", ())
    assert isinstance(same, Plan)
    assert same.model == plan.model


def test_a_decoder_is_what_it_was() -> None:
    plan = plan_of("[model]\nhidden_size = 32\nnum_layers = 2\nnum_heads = 4\n")
    assert isinstance(plan.model, Model)
    assert plan.model.num_kv_heads == 4
