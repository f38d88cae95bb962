"""What cfgc says of ZeRO, offloading, number formats and features of a ds_config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.judge import judge_config
from cfgc.deepspeed.reading import config_of, parse_config
from cfgc.deepspeed.releases import release
from cfgc.diagnostics import Diagnostic
from cfgc.fixing.apply import apply_edits
from cfgc.source import SourceFile
from tests.unit.deepspeed.zero_cases import (
    ACCEPTED,
    BASE,
    BF16,
    CPU,
    FP32_SUMS,
    OWN_ADAM,
    REFUSED,
    STEPPED,
    whole,
    zero,
)

Json = dict[str, Any]


def findings(config: Json, version: str = "0.19.8", world: int | None = None, device: str = "") -> list[Diagnostic]:
    return list(judge_config(Case(config_of(config), release(version), world, device)))


def errors(config: Json, version: str = "0.19.8", world: int | None = None, device: str = "") -> set[str]:
    return {d.code for d in findings(whole(config), version, world, device) if d.severity == "error"}


def warnings(config: Json, version: str = "0.19.8", world: int | None = None, device: str = "") -> set[str]:
    found = findings(whole(config), version, world, device)
    return {d.code for d in found if d.severity == "warning"} - {"CFG557"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_work_is_an_error(name: str) -> None:
    refusal = REFUSED[name]
    assert refusal.code in errors(refusal.config)


@pytest.mark.parametrize("name", REFUSED)
def test_every_help_is_a_fix_that_mends(name: str) -> None:
    refusal = REFUSED[name]
    source = config_of(whole(refusal.config)).source
    found = next(d for d in findings(whole(refusal.config)) if d.code == refusal.code)
    assert len(found.helps) == len(found.fixes) >= 1
    for fix in found.fixes:
        mended = parse_config(SourceFile(source.logical, apply_edits(source.text, fix.edits, "json")))
        left = judge_config(Case(mended, release("0.19.8")))
        assert found.message not in {d.message for d in left}


@pytest.mark.parametrize("name", REFUSED)
def test_the_first_fix_leaves_no_error_of_its_code(name: str) -> None:
    refusal = REFUSED[name]
    source = config_of(whole(refusal.config)).source
    found = next(d for d in findings(whole(refusal.config)) if d.code == refusal.code)
    mended = parse_config(SourceFile(source.logical, apply_edits(source.text, found.fixes[0].edits, "json")))
    assert {d.code for d in judge_config(Case(mended, release("0.19.8"))) if d.severity == "error"} <= errors(
        refusal.config
    ) - {refusal.code}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_works_is_at_most_a_warning(name: str) -> None:
    config, expected = ACCEPTED[name]
    assert errors(config) == set()
    assert warnings(config) == expected


OLDER: list[tuple[str, Json, set[str]]] = [
    ("0.12.6", {"prescale_gradients": True, **zero(1)}, {"CFG507"}),
    ("0.13.0", {"prescale_gradients": True, **zero(1)}, set()),
    ("0.17.5", {"bf16": {"enabled": True}, "data_types": {"grad_accum_dtype": "bf16"}}, {"CFG568"}),
    ("0.17.6", {"bf16": {"enabled": True}, "data_types": {"grad_accum_dtype": "bf16"}}, set()),
    ("0.18.4", {"bf16": {"enabled": True}, **FP32_SUMS}, set()),
    ("0.18.5", {"bf16": {"enabled": True}, **FP32_SUMS}, {"CFG568"}),
    ("0.19.1", {"bf16": {"enabled": True}, **zero(1)}, set()),
    ("0.17.1", {"compile": {"deepcompile": True}, **zero(2)}, {"CFG577"}),
    ("0.17.2", {"compile": {"deepcompile": True}, **zero(2)}, set()),
    ("0.18.2", {"fp16": {"enabled": True, "fp16_master_weights_and_grads": True}, **zero(3)}, {"CFG570"}),
    ("0.16.9", {"elasticity": {"enabled": True, "micro_batch_sizes": [2]}}, {"CFG534"}),
    ("0.16.9", {"elasticity": {"enabled": False}}, set()),
]


@pytest.mark.parametrize(("version", "config", "expected"), OLDER)
def test_an_older_release_has_its_own_rules(version: str, config: Json, expected: set[str]) -> None:
    mine = {"CFG507", "CFG568", "CFG577", "CFG570", "CFG534"}
    assert errors(config, version) & mine == expected


RANKS: list[tuple[Json, str, int, set[str]]] = [
    (zero(3, zero_hpz_partition_size=4), "0.19.8", 8, set()),
    (zero(3, zero_hpz_partition_size=3), "0.19.8", 8, {"CFG573"}),
    (zero(3, zero_hpz_partition_size=16), "0.19.8", 8, set()),
    (zero(2, zero_hpz_partition_size=3), "0.19.8", 8, set()),
    ({"hybrid_engine": {"enabled": True, "inference_tp_size": 4}}, "0.19.8", 8, set()),
    ({"hybrid_engine": {"enabled": True, "inference_tp_size": 16}}, "0.19.8", 8, {"CFG532"}),
    (zero(3, mics_shard_size=4), "0.19.6", 8, set()),
    (zero(3, mics_shard_size=3), "0.19.6", 8, {"CFG535"}),
    (zero(3, mics_shard_size=4, offload_optimizer=CPU), "0.16.9", 8, {"CFG535"}),
]


@pytest.mark.parametrize(("config", "version", "world", "expected"), RANKS)
def test_groups_divide_the_ranks_that_are_known(config: Json, version: str, world: int, expected: set[str]) -> None:
    groups = {"CFG573", "CFG532", "CFG535"}
    assert errors(config, version, world) & groups == expected
    assert errors(config, version) & groups == set()


DEVICES: list[tuple[Json, str, set[str]]] = [
    ({"fp16": {"enabled": True}}, "cpu", {"CFG442"}),
    ({"fp16": {"enabled": True}, **zero(1)}, "cuda", set()),
    ({"fp16": {"enabled": True}}, "cuda", set()),
    ({"aio": {"use_gds": True}, **zero(1)}, "cpu", {"CFG579"}),
    ({"aio": {"use_gds": True}, **zero(1)}, "", set()),
    (zero(3, zero_quantized_weights=True), "cpu", {"CFG574"}),
    (zero(3, zero_quantized_weights=True), "cuda", set()),
    (zero(3, offload_optimizer={**CPU, "super_offload": True}), "cpu", {"CFG576"}),
    (zero(3, offload_optimizer={**CPU, "super_offload": True}), "cuda", set()),
]


@pytest.mark.parametrize(("config", "device", "expected"), DEVICES)
def test_what_only_a_gpu_can_do_is_an_error_on_a_cpu(config: Json, device: str, expected: set[str]) -> None:
    assert errors(config, device=device) == expected


def test_direct_storage_is_a_warning_while_nobody_said_where() -> None:
    config = {"aio": {"use_gds": True}, **zero(3, offload_param={"device": "nvme", "nvme_path": "/d"})}
    assert "CFG579" in warnings(config)
    assert "CFG579" not in warnings(config, device="cuda")


COMPILED: list[tuple[Json, Json, set[str]]] = [
    ({"offload_opt_states": True}, zero(3), set()),
    ({"offload_opt_states": True}, zero(3, offload_optimizer=CPU), {"CFG577"}),
    ({"offload_opt_states": True, "offload_parameters": True}, zero(3), {"CFG577"}),
    ({"offload_activation": True, "offload_parameters": True}, zero(3), {"CFG577"}),
    ({"offload_activation": True}, zero(3, offload_optimizer=CPU, offload_param=CPU), {"CFG577"}),
    ({"passes": ["autosp"]}, zero(0), set()),
    ({"passes": ["autotp", "z1"]}, zero(1), {"CFG577"}),
    ({"autoep_non_moe": True}, zero(1), {"CFG577"}),
]


@pytest.mark.parametrize(("options", "stage", "expected"), COMPILED)
def test_deepcompile_moves_one_thing_and_combines_few_passes(options: Json, stage: Json, expected: set[str]) -> None:
    assert errors({"compile": {"deepcompile": True, **options}, **stage}) == expected


ZENFLOW: list[tuple[Json, Json, set[str]]] = [
    (STEPPED, {}, set()),
    ({}, {}, set()),
    ({"select_strategy": "step"}, {}, {"CFG575"}),
    ({"select_strategy": "step", "select_interval": 2, "update_interval": 4}, {}, {"CFG575"}),
    ({"select_strategy": "epoch", "select_interval": 1, "update_interval": 4}, {}, set()),
    ({**STEPPED, "offload": True}, {}, {"CFG575"}),
    (STEPPED, {"gradient_accumulation_steps": 4}, {"CFG575"}),
    (STEPPED, {"gradient_accumulation_steps": 2}, set()),
    (STEPPED, {"optimizer": {"type": "AdamW"}}, {"CFG575"}),
]


@pytest.mark.parametrize(("section", "others", "expected"), ZENFLOW)
def test_zenflow_has_what_it_needs(section: Json, others: Json, expected: set[str]) -> None:
    config = {"optimizer": OWN_ADAM, **others, **zero(2, offload_optimizer=CPU, zenflow=section)}
    assert errors(config) & {"CFG575"} == expected


UNKNOWN: list[Json] = [
    zero("auto", offload_param=CPU),  # type: ignore[arg-type]
    zero(2, offload_param={"device": "auto"}),
    zero(2, offload_param="auto"),
    {"fp16": {"enabled": "auto"}, **BF16},
    {"fp16": {"enabled": "auto"}, "communication_data_type": "bf16", "bf16": {"enabled": "auto"}},
    {"prescale_gradients": "auto", **zero(2)},
    {"zero_optimization": "auto"},
    {**BF16, "data_types": {"grad_accum_dtype": "auto"}},
    {"gradient_clipping": "auto", **zero(2, compute_grad_norm=False)},
]


@pytest.mark.parametrize("config", UNKNOWN)
def test_auto_is_never_an_error(config: Json) -> None:
    assert errors(config) == set()


BUNDLES = ("quickstart", "8xa100-zero2", "16xh100-zero3")


@pytest.mark.parametrize("name", BUNDLES)
def test_a_file_that_pins_every_key_is_not_told_of_its_defaults(name: str, repository: Path) -> None:
    config = json.loads((repository / "out" / name / "ds_config.json").read_text())
    assert findings(config) == []
    config["zero_optimization"].update(sub_group_size=1000, allgather_bucket_size=1000)
    unread = {"16xh100-zero3": "allgather_bucket_size"}.get(name, "sub_group_size")
    found = findings(config)
    assert [d.code for d in found] == ["CFG501"]
    assert f"`{unread}` has no effect" in found[0].message


@pytest.mark.parametrize("name", ["loss_scale_window", "hysteresis", "min_loss_scale", "initial_scale_power"])
def test_what_no_dynamic_scale_can_be_is_an_error_wherever_fp16_may_be_on(name: str) -> None:
    assert errors({"fp16": {"enabled": "auto", "loss_scale": 0, name: -1}}) == {"CFG571"}
    assert errors({"fp16": {"enabled": True, name: -1}}) == {"CFG571"}
    assert warnings({"fp16": {"enabled": False, name: -1}}) == {"CFG571"}
    assert errors({"fp16": {"enabled": False, name: -1}}) == set()


def test_a_scale_that_starts_below_the_least_one_is_an_error() -> None:
    assert errors({"fp16": {"enabled": True, "min_loss_scale": 2**20}}) == {"CFG571"}
    assert errors({"fp16": {"enabled": True, "min_loss_scale": 2**16}}) == set()
    assert errors({"fp16": {"enabled": True, "min_loss_scale": 2**20, "loss_scale": 128}}) == set()


def test_what_moves_a_fixed_scale_is_unread_unless_it_is_the_default() -> None:
    fixed = {"enabled": True, "loss_scale": 128}
    assert warnings({"fp16": {**fixed, "loss_scale_window": 500}, **zero(1)}) == {"CFG530"}
    assert warnings({"fp16": {**fixed, "hysteresis": 2, "min_loss_scale": 1}, **zero(1)}) == set()
    assert warnings({"fp16": {**fixed, "loss_scale": 0, "loss_scale_window": 500}, **zero(1)}) == set()


UNSCALED: list[tuple[Json, str, set[str]]] = [
    ({}, "0.19.8", {"CFG517"}),
    ({}, "0.18.3", {"CFG517"}),
    ({}, "0.18.2", set()),
    (zero(0), "0.19.8", {"CFG517"}),
    (zero(1), "0.19.8", set()),
    ({"fp16": {"enabled": True, "loss_scale": 8}}, "0.19.8", {"CFG517"}),
    ({"fp16": {"enabled": True, "loss_scale": 1}}, "0.19.8", set()),
    ({"fp16": {"enabled": True, "loss_scale": "auto"}}, "0.19.8", set()),
    ({"fp16": {"enabled": "auto"}}, "0.19.8", set()),
    ({"zero_optimization": {"stage": "auto"}}, "0.19.8", set()),
    ({"torch_autocast": {"enabled": True, "dtype": "fp16"}}, "0.19.8", set()),
    ({"autotuning": {"enabled": True}}, "0.19.8", set()),
]


@pytest.mark.parametrize(("config", "version", "codes"), UNSCALED)
def test_the_loss_of_fp16_is_scaled_for_zeros_optimizers_alone(config: Json, version: str, codes: set[str]) -> None:
    """``tests/deepspeed/test_unscaled.py`` has DeepSpeed itself divide the gradients."""
    case = {"fp16": {"enabled": True}, **config}
    assert warnings(case, version) & {"CFG517"} == codes
    assert "CFG517" not in warnings(case, version, device="cpu")


@pytest.mark.parametrize(
    ("keys", "divisor"),
    [({}, "65,536 at first"), ({"initial_scale_power": 12}, "4,096 at first"), ({"loss_scale": 8.0}, "8")],
)
def test_what_gradients_are_divided_by_is_said(keys: Json, divisor: str) -> None:
    [said] = [one for one in findings(whole({"fp16": {"enabled": True, **keys}})) if one.code == "CFG517"]
    assert f"gradients are divided by {divisor}:" in said.notes[1]


def test_stage_1_is_offered_where_the_optimizer_works_with_it() -> None:
    for kind, edits in (("AdamW", 1), ("SGD", 2)):
        config = {**BASE, "fp16": {"enabled": True}, "optimizer": {"type": kind, "params": {"lr": 0.1}}}
        [fix] = next(one for one in findings(config) if one.code == "CFG517").fixes
        assert len(fix.edits) == edits
    one_bit = {**BASE, "fp16": {"enabled": True}, "optimizer": {"type": "OneBitAdam", "params": {"lr": 0.1}}}
    said = next(one for one in findings(one_bit, "0.19.6") if one.code == "CFG517")
    assert (said.fixes, len(said.helps)) == ((), 1)
