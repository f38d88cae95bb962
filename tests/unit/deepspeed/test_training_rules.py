"""Batch, optimizer, schedule, parallelism and reports of a ds_config: what is said for which release and world."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.releases import release
from cfgc.diagnostics import Diagnostic
from cfgc.fixing.apply import apply_edits

Tree = dict[str, Any]


def found_in(text: str, version: str, world: int | None) -> list[Diagnostic]:
    """What cfgc says; changed defaults are another's business."""
    found = check_ds_config("ds_config.json", text.encode(), release(version), world)
    return [finding for finding in found if finding.code != "CFG557"]


def said(tree: Tree, version: str = "0.19.8", world: int | None = None) -> list[str]:
    """The codes of errors, and those of warnings in parentheses."""
    found = found_in(json.dumps(tree, indent=1), version, world)
    return [f"({each.code})" if each.severity == "warning" else each.code for each in found]


UNTESTED_AT_1: Tree = {"zero_optimization": {"stage": 1}, "zero_allow_untested_optimizer": True}


def batch(train: Any, micro: Any = None, accumulation: Any = None, **others: Any) -> Tree:
    """The sizes that are given."""
    names = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
    return {name: size for name, size in zip(names, (train, micro, accumulation), strict=True) if size} | others


def adam(kind: str = "AdamW", **params: Any) -> Tree:
    """A batch and an optimizer."""
    return batch(8) | {"optimizer": {"type": kind, "params": {"lr": 0.001, **params}}}


def plan(kind: str, stage: int = 0, **params: Any) -> Tree:
    """A batch, an optimizer and a scheduler."""
    return adam() | {"scheduler": {"type": kind, "params": params}, "zero_optimization": {"stage": stage}}


BATCHES = [
    (batch(512, 8, 8), None, []),
    (batch(512, 8, 8), 8, []),
    (batch(512, 8, 8), 4, ["CFG401"]),
    (batch(512, 8, 7), None, ["CFG401"]),
    (batch(512, 8, 8, sequence_parallel_size=2), 16, []),
    (batch(512, 8, 8, sequence_parallel_size=2), 8, ["CFG401"]),
    (batch(512, 8, 8, tensor_parallel={"autotp_size": 2}), 8, []),
    (batch(512, 8, 8, pipeline={"activation_checkpoint_interval": 1}), 16, []),
    (batch(512, 8), 8, []),
    (batch(500, 8), 8, ["CFG403"]),
    (batch(500, None, 3), None, ["CFG403"]),
    (batch(7), 2, ["CFG403"]),
    (batch(7), None, []),
    (batch(None, 4), 3, []),
    (batch(None, None, 4), 3, ["(CFG402)"]),
    (batch(None), None, ["(CFG402)"]),
    (batch("auto", 4, 3), 7, []),
    (batch(8, sequence_parallel_size=3), 8, ["CFG404"]),
    (batch(8, tensor_parallel={"autotp_size": 3}), 8, ["CFG404"]),
    (batch(8, tensor_parallel={"autotp_size": 4}, sequence_parallel_size=4), 8, ["CFG404"]),
    (batch(8, tensor_parallel={"autotp_size": 2}, sequence_parallel_size=4), 8, []),
    (batch(8, expert_parallel={"enabled": True, "autoep_size": 3}), 8, ["CFG404"]),
    (batch(8, expert_parallel={"enabled": False, "autoep_size": 3}), 8, []),
]

RELEASES = [
    (adam("OneBitAdam", freeze_step=10), "0.19.6", []),
    (adam("OneBitAdam", freeze_step=10), "0.19.7", ["CFG582"]),
    (adam("OneBitAdam", freeze_step=10) | {"zero_optimization": {"stage": 1}}, "0.19.6", ["CFG588"]),
    (adam("Muon", momentum=0.9), "0.17.5", []),
    (adam("Muon", momentum=0.9, muon_lr=0.02), "0.17.6", ["CFG584"]),
    (adam("Muon", momentum=0.9, muon_lr=0.02), "0.18.3", []),
    (adam("muon", per_head_muon=True), "0.19.7", ["CFG584"]),
    (adam("muon", per_head_muon=True), "0.19.8", []),
    (adam("Muon") | {"zero_optimization": {"stage": 3, "reduce_scatter": False}}, "0.18.8", ["CFG588"]),
    (adam("Muon") | {"zero_optimization": {"stage": 3, "reduce_scatter": False}}, "0.18.9", []),
    (adam(torch_adam=True, fp32_optimizer_states=True), "0.19.0", ["CFG584"]),
    (adam(torch_adam=True, fp32_optimizer_states=True), "0.19.1", []),
    (plan("WarmupLR", warmup_num_steps=0, warmup_max_lr=0.001), "0.19.2", []),
    (plan("WarmupLR", warmup_num_steps=0, warmup_max_lr=0.001), "0.19.3", ["CFG585"]),
    (plan("WarmupLR", warmup_num_steps=10.0, warmup_max_lr=0.001), "0.19.2", []),
    (plan("WarmupLR", warmup_num_steps=10.0, warmup_max_lr=0.001), "0.19.3", ["CFG585"]),
    (plan("LRRangeTest", lr_range_test_step_size=5.0), "0.19.3", []),
    (plan("LRRangeTest", lr_range_test_step_size=5.0), "0.19.4", ["CFG585"]),
    (plan("WarmupLR", warmup_num_steps=10) | {"optimizer": {"type": "Adam", "params": {"lr": 1e-5}}}, "0.17.2", []),
    (
        plan("WarmupLR", warmup_num_steps=10) | {"optimizer": {"type": "Adam", "params": {"lr": 1e-5}}},
        "0.17.1",
        ["(CFG592)"],
    ),
    (plan("WarmupCosineLR", total_num_steps=10, warmup_num_steps=2), "0.12.2", ["CFG583"]),
    (plan("WarmupCosineLR", total_num_steps=10, warmup_num_steps=2), "0.12.3", []),
    (batch(8, tensor_parallel={"autotp_size": 2}, zero_optimization={"stage": 3}), "0.19.3", ["CFG594"]),
    (batch(8, tensor_parallel={"autotp_size": 2}, zero_optimization={"stage": 3}), "0.19.4", []),
    (batch(8, tensor_parallel={"autotp_size": 2, "tp": {"tp_size": 4}}), "0.18.5", []),
    (batch(8, tensor_parallel={"autotp_size": 2, "tp": {"tp_size": 4}}), "0.18.6", ["CFG593"]),
    (batch(8, amp={"enabled": True}, zero_optimization={"stage": 1}), "0.19.7", ["CFG536"]),
]

OPTIMIZERS = [
    (adam("ADAM"), []),
    (adam("SGD"), []),
    (adam("Sgd"), ["CFG582"]),
    (adam("SGD") | {"zero_optimization": {"stage": 1}}, ["CFG587"]),
    (adam("SGD") | {"zero_optimization": {"stage": 1}, "zero_allow_untested_optimizer": True}, []),
    (adam("SGD") | {"zero_optimization": {"stage": 1}, "zero_allow_untested_optimizer": "auto"}, ["(CFG559)"]),
    (adam("Adagrad") | {"zero_optimization": {"stage": 2}}, []),
    (adam("MuAdam", anything=1) | {"zero_optimization": {"stage": 2}}, []),
    (adam("MuSGD") | {"zero_optimization": {"stage": 2}}, ["CFG587"]),
    (adam(foreach=True), ["CFG584"]),
    (adam(torch_adam=True, foreach=True), []),
    (adam(torch_adam=True, fused=True, foreach=True), ["CFG585"]),
    (adam("Adam", torch_adam=True, adam_w_mode=False, decoupled_weight_decay=True), []),
    (adam("AdamW", torch_adam=True, decoupled_weight_decay=True), ["CFG584"]),
    (adam(set_grad_none=True), []),
    (
        adam(set_grad_none=True)
        | {"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu", "pin_memory": True}}},
        ["CFG584"],
    ),
    (adam(amsgrad=True), ["CFG588"]),
    (adam(torch_adam=True, amsgrad=True), []),
    (
        adam(fp32_optimizer_states=True)
        | {
            "bf16": {
                "enabled": True,
                "check_grad_overflow": True,
                "bf16_optimizer_states": True,
                "bf16_master_weights_and_grads": True,
            },
            "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu", "pin_memory": True}},
        },
        ["CFG588"],
    ),
    (adam("Muon", ns_method="quintic"), ["CFG585"]),
    (adam("Muon", ns_method="gram"), []),
    (adam(lr="auto", betas="auto"), []),
    (adam("SGD", nesterov=True), ["CFG585"]),
    (adam("SGD", nesterov=True, momentum=0.9), []),
    (adam("Lamb") | UNTESTED_AT_1 | {"fp16": {"enabled": True, "loss_scale": 128}}, ["CFG588"]),
    (adam("Lamb") | UNTESTED_AT_1 | {"fp16": {"enabled": True, "loss_scale": 0}}, []),
    (adam("Lamb") | {"fp16": {"enabled": True, "loss_scale": 0}}, ["(CFG517)"]),
    (
        adam("Lamb")
        | {
            "zero_allow_untested_optimizer": True,
            "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu", "pin_memory": True}},
        },
        ["CFG588"],
    ),
    (adam("Adafactor", eps=[None, 0.001]), []),
    (adam("SparseAdam"), ["CFG588"]),
    (batch(8, optimizer={}), []),
    (batch(8, optimizer={"type": "Adam"}), []),
    (batch(8, optimizer={"type": None, "params": {}}), ["CFG586"]),
]

SCHEDULES = [
    (plan("WarmupLR", warmup_max_lr=0.001), []),
    (plan("WarmupDecayLR", warmup_max_lr=0.001, total_num_steps=100, warmup_num_steps=100), []),
    (plan("WarmupDecayLR", warmup_max_lr=0.001, total_num_steps="auto", warmup_num_steps="auto"), []),
    (plan("WarmupDecayLR", warmup_max_lr=0.001, total_num_steps=100, warmup_num_steps=101), ["CFG420"]),
    (plan("WarmupDecayLR", warmup_max_lr=0.001, warmup_steps=10, total_num_steps=100), ["CFG584"]),
    (plan("WarmupDecayLR", warmup_max_lr=0.001, total_steps=100), ["CFG584"]),
    (plan("OneCycle", cycle_min_lr=0.0001, cycle_max_lr=0.001), []),
    (plan("OneCycle", cycle_min_lr=0.0001), ["CFG586"]),
    (plan("OneCycle", cycle_min_lr=0.01, cycle_max_lr=0.001), ["CFG589"]),
    (plan("OneCycle", cycle_min_lr=0.0001, cycle_max_lr=0.001, cycle_first_step_size=0), ["CFG585"]),
    (plan("OneCycle", cycle_min_lr=[0.0001], cycle_max_lr=0.001), ["(CFG539)"]),
    (plan("CosineAnnealingLR", T_max=10), []),
    (plan("CosineAnnealingLR"), ["CFG586"]),
    (plan("CosineAnnealingLR", 2, T_max=10), ["CFG588"]),
    (plan("StepLR", step_size=10) | {"bf16": {"enabled": True, "check_grad_overflow": True}}, ["CFG588"]),
    (plan("LambdaLR"), ["CFG583"]),
    (plan("WarmupLR", warmup_max_lr=0.001) | {"optimizer": {"type": "SGD", "params": {"lr": 0.1}}}, ["(CFG592)"]),
]

REPORTS = [
    (batch(8, wandb={"project": "a"}), ["(CFG597)"]),
    (batch(8, wandb={"enabled": False, "project": "a"}), []),
    (batch(8, flops_profiler={"enabled": True, "profile_step": -1}), ["CFG580"]),
    (batch(8, flops_profiler={"enabled": False, "profile_step": -1}), []),
    (batch(8, autotuning={"enabled": True, "start_profile_step": 9}), ["CFG538"]),
    (batch(8, autotuning={"enabled": False, "start_profile_step": 9}), []),
    (batch(8, autotuning={"enabled": False, "results_dir": ""}), ["CFG581"]),
    (batch(8, steps_per_print=None), []),
    (batch(8, log_level="WARNING"), []),
    (batch(8, log_level="auto"), ["(CFG559)"]),
    (batch(8, datastates_ckpt=False), []),
    (batch(8, datastates_ckpt={}), []),
    (batch(8, tensor_parallel={"autotp_size": 2, "preset_model": "gpt2"}), ["CFG581"]),
    (batch(8, vocabulary_size=50304), []),
    (batch(8, pipeline={}, zero_optimization={"stage": 2}), []),
    (batch(8, activation_checkpointing={"contiguous_memory_optimization": "auto"}), ["(CFG559)"]),
]


@pytest.mark.parametrize(("tree", "world", "codes"), BATCHES)
def test_batch(tree: Tree, world: int | None, codes: list[str]) -> None:
    assert said(tree, world=world) == codes


@pytest.mark.parametrize(("tree", "version", "codes"), RELEASES)
def test_release_decides(tree: Tree, version: str, codes: list[str]) -> None:
    assert said(tree, version) == codes


@pytest.mark.parametrize(("tree", "codes"), [*OPTIMIZERS, *SCHEDULES, *REPORTS])
def test_training(tree: Tree, codes: list[str]) -> None:
    assert said(tree) == codes


WRONG = [
    *((tree, "0.19.8", world) for tree, world, codes in BATCHES if codes),
    *((tree, version, None) for tree, version, codes in RELEASES if codes),
    *((tree, "0.19.8", None) for tree, codes in (*OPTIMIZERS, *SCHEDULES, *REPORTS) if set(codes) - {"(CFG559)"}),
]


@pytest.mark.parametrize(("tree", "version", "world"), WRONG)
def test_first_fix_mends(tree: Tree, version: str, world: int | None) -> None:
    text = json.dumps(tree, indent=1)
    first = next(each for each in found_in(text, version, world) if each.fixes)
    mended = apply_edits(text, first.fixes[0].edits, "json")
    left = found_in(mended, version, world)
    assert [each.message for each in left if each.severity == "error" or each.message == first.message] == []


@pytest.mark.parametrize(("tree", "version", "world"), WRONG)
def test_every_fix_takes_its_error_away(tree: Tree, version: str, world: int | None) -> None:
    text = json.dumps(tree, indent=1)
    first = next(each for each in found_in(text, version, world) if each.fixes)
    for fix in first.fixes:
        mended = apply_edits(text, fix.edits, "json")
        assert first.message not in [each.message for each in found_in(mended, version, world)]
