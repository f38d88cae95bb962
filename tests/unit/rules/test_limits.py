"""Each rule at its limit: what it refuses, and the nearest that it lets pass."""

from __future__ import annotations

from typing import Any

import pytest

from cfgc.diagnostics import Diagnostic
from cfgc.schema.spec import Spec
from cfgc.validate.rules import RULES, SHARED_RULES
from cfgc.validate.schema_check import check_schema
from tests.unit.rules.building import SMALL, merged, resolved_of

GPU = {"hardware": {"device": "cuda", "architecture": "hopper", "memory": "80GiB", "gpus_per_node_max": 8}}


def training(**keys: Any) -> dict[str, Any]:
    return {"training": keys}


def deepspeed(**keys: Any) -> dict[str, Any]:
    return {"deepspeed": keys}


def findings(*changes: dict[str, Any]) -> list[Diagnostic]:
    """What the rules alone say of the small spec with ``changes``."""
    resolved = resolved_of(merged(SMALL, *changes))
    spec = check_schema(resolved)
    assert isinstance(spec, Spec)
    return [found for rule in (*SHARED_RULES, *RULES) for found in rule(spec, resolved)]


def codes(*changes: dict[str, Any]) -> set[str]:
    return {found.code for found in findings(*changes)}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "CFG401": (
        training(global_batch_size=33, gradient_accumulation_steps=2),
        training(global_batch_size=32, gradient_accumulation_steps=2),
    ),
    "CFG402": (training(global_batch_size=None), training(global_batch_size=None, gradient_accumulation_steps=1)),
    "CFG403": (training(global_batch_size=40), training(global_batch_size=48)),
    "CFG404": (
        {"parallel": {"tensor_parallel": 2}, "launch": {"gpus_per_node": 3}},
        {"parallel": {"tensor_parallel": 2}, "launch": {"gpus_per_node": 4}},
    ),
    "CFG405": ({"parallel": {"pipeline_parallel": 3}}, {"parallel": {"pipeline_parallel": 2}}),
    "CFG410": ({"model": {"num_heads": 3}}, {"model": {"num_heads": 8}}),
    "CFG411": ({"model": {"num_kv_heads": 8}}, {"model": {"num_kv_heads": 1}}),
    "CFG412": ({"model": {"hidden_size": 68}}, {"model": {"hidden_size": 72}}),
    "CFG413": ({"data": {"sequence_length": 129}}, {"data": {"sequence_length": 128}}),
    "CFG414": ({"model": {"vocab_size": 256}}, {"model": {"vocab_size": 257}}),
    "CFG420": (training(warmup_steps=1000), training(warmup_steps=999)),
    "CFG421": (
        training(learning_rate=1e-3, scheduler={"final_learning_rate": 1.1e-3}),
        training(learning_rate=1e-3, scheduler={"final_learning_rate": 1e-3}),
    ),
    "CFG423": (
        {**training(max_epochs=10), "data": {"max_train_samples": 3201 * 2}},
        {**training(max_epochs=10), "data": {"max_train_samples": 3200}},
    ),
    "CFG425": (
        {**training(max_steps=None, max_epochs=1), "data": {"max_train_samples": 31}},
        {**training(max_steps=None, max_epochs=1, warmup_steps=0), "data": {"max_train_samples": 32}},
    ),
    "CFG426": (training(learning_rate=0.11), training(learning_rate=0.11, optimizer={"type": "sgd"})),
    "CFG429": (training(optimizer={"betas": [0.9, 1.0]}), training(optimizer={"betas": [0.0, 0.999]})),
    "CFG434": ({"evaluation": {"every_steps": 1001}}, {"evaluation": {"every_steps": 1000}}),
    "CFG435": ({"checkpoint": {"every_steps": 1001}}, {"checkpoint": {"every_steps": 1000}}),
    "CFG440": (
        {"hardware": {"device": "cuda", "architecture": "turing"}},
        {"hardware": {"device": "cuda", "architecture": "ampere"}},
    ),
    "CFG441": (
        {"hardware": {"device": "cuda", "architecture": "ampere"}, **training(precision="fp8")},
        {**GPU, **training(precision="fp8")},
    ),
    "CFG445": (
        {**GPU, "model": {"hidden_size": 8192, "num_layers": 80, "num_heads": 64}},
        {
            **GPU,
            "model": {"hidden_size": 8192, "num_layers": 80, "num_heads": 64},
            **deepspeed(zero={"stage": 3}),
            "launch": {"nodes": 16, "gpus_per_node": 8},
            **training(global_batch_size=1024),
        },
    ),
    "CFG502": (
        {**GPU, **deepspeed(zero={"stage": 2}, offload={"parameters": "cpu"})},
        {**GPU, **deepspeed(zero={"stage": 3}, offload={"parameters": "cpu"})},
    ),
    "CFG503": (
        {**GPU, **deepspeed(zero={"stage": 0}, offload={"optimizer": "cpu"})},
        {**GPU, **deepspeed(zero={"stage": 1}, offload={"optimizer": "cpu"})},
    ),
    "CFG507": (
        {**GPU, **deepspeed(zero={"stage": 2}, gradient_predivide_factor=2.0)},
        {**GPU, **deepspeed(zero={"stage": 1}, gradient_predivide_factor=2.0)},
    ),
    "CFG601": (
        {**GPU, "launch": {"gpus_per_node": 9}, **training(global_batch_size=72)},
        {**GPU, "launch": {"gpus_per_node": 8}, **training(global_batch_size=64)},
    ),
    "CFG602": (
        {"launch": {"time_limit": "10min", "signal_lead": "10min", "timeout": "1min"}},
        {"launch": {"time_limit": "11min", "signal_lead": "10min", "timeout": "1min"}},
    ),
    "CFG606": ({"launch": {"run_dir": "./out/small/run"}}, {"launch": {"run_dir": "out/smaller"}}),
    "CFG607": ({"launch": {"time_limit": "3601s"}}, {"launch": {"time_limit": "3600s"}}),
    "CFG614": ({"launch": {"time_limit": "366d"}}, {"launch": {"time_limit": "365d"}}),
}


@pytest.mark.covers("hardware.gpus_per_node_max")
@pytest.mark.parametrize("code", CASES)
def test_rule_at_its_limit(code: str) -> None:
    refused, passed = CASES[code]
    assert code in codes(refused)
    assert code not in codes(passed)


def test_the_latest_layer_is_where_to_change() -> None:
    """Of the three sizes only one is in the spec; the note says that the others are not in any file."""
    found = next(f for f in findings(training(precision="fp16")) if f.code == "CFG442")
    assert found.primary is not None
    assert found.primary.span.text == "training.precision = 'fp16'"
    assert [label.span.text for label in found.secondary] == ["hardware.device = 'cpu'"]


def test_a_default_is_a_note() -> None:
    found = next(f for f in findings(training(early_stopping={"patience": 2})) if f.code == "CFG432")
    assert "`evaluation.every_steps = 0` by default (no evaluation while training)" in found.notes


@pytest.mark.parametrize(
    ("samples", "epochs", "instead"),
    [(9_600, 4, {"every_epochs": 1}), (96_000, 1, {"every_epochs": 0, "every_steps": 100})],
)
@pytest.mark.parametrize(("code", "section"), [("CFG434", "evaluation"), ("CFG435", "checkpoint")])
def test_what_comes_too_late_by_epochs_is_mended_there(
    code: str, section: str, samples: int, epochs: int, instead: dict[str, int]
) -> None:
    changes = {section: {"every_epochs": epochs}, "data": {"max_train_samples": samples}}
    found = next(f for f in findings(changes) if f.code == code)
    assert found.primary is not None
    assert found.primary.span.text == f"{section}.every_epochs = {epochs}"
    assert {edit.path[-1]: edit.value for edit in found.fixes[0].edits} == instead
    assert code not in codes(changes, {section: instead})


def test_the_best_checkpoint_needs_evaluations_where_these_are_said() -> None:
    changes = {
        "data": {"max_train_samples": 3200},
        "evaluation": {"every_steps": 30},
        "checkpoint": {"every_epochs": 2, "keep_best": 1},
    }
    found = next(f for f in findings(changes) if f.code == "CFG493")
    shown = {label.span.text for label in (found.primary, *found.secondary) if label}
    assert {"evaluation.every_steps = 30", "checkpoint.every_epochs = 2"} <= shown


@pytest.mark.parametrize(("form", "refused"), [("text", {"CFG478"}), ("prompt", {"CFG483", "CFG485"})])
def test_a_field_that_nobody_reads_is_refused_once(form: str, refused: set[str]) -> None:
    source = {"name": "text", "path": "data", "kind": "text", "format": form, "field": "body"}
    assert {found.code for found in findings({"data": {"sources": [source]}}) if found.severity == "error"} == refused


def test_the_length_of_a_run_is_shown_where_it_is_said() -> None:
    epochs = {"training": {"max_steps": None, "max_epochs": 3}, "data": {"max_train_samples": 3200}}
    found = next(f for f in findings(epochs, {"evaluation": {"every_steps": 301}}) if f.code == "CFG434")
    assert [label.span.text for label in found.secondary] == ["training.max_epochs = 3"]


@pytest.mark.parametrize(("memory", "stage"), [("40GiB", 1), ("16GiB", 2), ("8GiB", 3)])
def test_memory_names_the_smallest_stage_that_fits(memory: str, stage: int) -> None:
    """3.2 billion weights over 8 ranks, bytes each: 16 at stage 0, 5.5 at stage 1, 3.75 at stage 2, 2 at stage 3."""
    changes = {
        "hardware": {"device": "cuda", "architecture": "ampere", "memory": memory},
        "model": {"hidden_size": 3072, "num_layers": 28, "num_heads": 24},
        "launch": {"gpus_per_node": 8},
        **training(global_batch_size=64),
    }
    found = next(f for f in findings(changes) if f.code == "CFG445")
    assert f'zero = "{stage}"' in found.helps[0]


@pytest.mark.parametrize("key", ["train_batch_size", "scheduler", "managed_gradient_accumulation"])
def test_raw_cannot_say_what_the_plan_says(key: str) -> None:
    assert "CFG520" in codes(deepspeed(raw={"reason": "why", key: 1}))


def test_a_raw_key_deep_inside_is_found() -> None:
    raw = {"reason": "why", "zero_optimization": {"stage": 3, "ignore_unused_parameters": False}}
    found = [f for f in findings(deepspeed(raw=raw)) if f.code == "CFG520"]
    assert [f.message for f in found] == ["`zero_optimization.stage` has one home, and it is not `[deepspeed.raw]`"]
