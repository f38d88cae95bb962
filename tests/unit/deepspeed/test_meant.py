"""Fixes of spoilt keys give back what was meant: nothing is thrown away that has another place or name."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.releases import release
from cfgc.deepspeed.structure.resembling import resembling
from cfgc.diagnostics import Diagnostic
from cfgc.fixing.apply import apply_edits

GOOD: dict[str, Any] = {
    "train_batch_size": 64,
    "train_micro_batch_size_per_gpu": 4,
    "gradient_accumulation_steps": 2,
    "gradient_clipping": 0.5,
    "bf16": {"enabled": True, "check_grad_overflow": True},
    "data_types": {"grad_accum_dtype": "fp32"},
    "wall_clock_breakdown": False,
    "optimizer": {"type": "AdamW", "params": {"lr": 0.0003, "betas": [0.9, 0.95], "weight_decay": 0.1}},
    "scheduler": {"type": "WarmupCosineLR", "params": {"total_num_steps": 9000, "warmup_num_steps": 90}},
    "zero_optimization": {
        "stage": 2,
        "reduce_bucket_size": 70000000,
        "allgather_bucket_size": 70000000,
        "offload_optimizer": {"device": "cpu", "pin_memory": False},
    },
}

RENAMED = [
    ("gradient_accumulation_steps", "gradient_steps_accumulation"),
    ("gradient_accumulation_steps", "gradientAccumulationSteps"),
    ("gradient_clipping", "clipping_gradient"),
    ("zero_optimization", "optimization"),
    ("zero_optimization", "zero-optimization"),
    ("zero_optimization.stage", "stages"),
    ("zero_optimization.stage", "STAGE"),
    ("zero_optimization.reduce_bucket_size", "bucket_reduce_size"),
    ("zero_optimization.offload_optimizer", "optimizer_offload"),
    ("zero_optimization.offload_optimizer", "optimizer"),
    ("wall_clock_breakdown", "clock_breakdown"),
    ("scheduler.params", "PARAMS"),
    ("scheduler.params", "param"),
    ("scheduler.params.warmup_num_steps", "warmup_steps_num"),
    ("optimizer.params.weight_decay", "decay_weight"),
]

MOVED = [
    ("zero_optimization.stage", ""),
    ("optimizer.type", ""),
    ("optimizer.params", ""),
    ("scheduler.params", ""),
    ("scheduler.params.total_num_steps", "scheduler"),
    ("scheduler.params.total_num_steps", "optimizer.params"),
    ("optimizer.params.lr", "scheduler.params"),
    ("optimizer.params", "scheduler.params"),
    ("zero_optimization.reduce_bucket_size", "optimizer.params"),
    ("zero_optimization.offload_optimizer.device", "zero_optimization"),
    ("data_types", "optimizer.params"),
    ("bf16.enabled", ""),
]

INTO_ITSELF = ["bf16", "optimizer", "scheduler", "zero_optimization", "scheduler.params", "optimizer.params"]

WRAPPED = ["zero_optimization.stage", "gradient_clipping", "optimizer.params.lr", "scheduler.params.warmup_num_steps"]


def table_at(tree: dict[str, Any], dotted: str) -> dict[str, Any]:
    for part in filter(None, dotted.split(".")):
        tree = tree[part]
    return tree


def errors(text: str) -> list[Diagnostic]:
    found = check_ds_config("ds_config.json", text.encode(), release("0.19.8"), 8)
    return [each for each in found if each.severity == "error"]


def mended(tree: dict[str, Any]) -> Any:
    """``tree`` after the first fix of the first error, until none is left."""
    text = json.dumps(tree, indent=2)
    for _ in range(4):
        if not (found := errors(text)):
            break
        text = apply_edits(text, found[0].fixes[0].edits, "json")
    return json.loads(text)


def test_a_misspelt_optimizer_keeps_parameters_that_are_misspelt_too() -> None:
    tree = deepcopy(GOOD)
    params = tree["optimizer"]["params"]
    rate = params.pop("lr")
    params["learning_rate"] = rate
    tree["optimizer"]["type"] = "AdmW"
    assert mended(tree)["optimizer"]["params"]["lr"] == rate


def test_the_good_config_holds() -> None:
    assert errors(json.dumps(GOOD)) == []


@pytest.mark.parametrize(("dotted", "name"), RENAMED)
def test_another_name_is_called_what_it_was(dotted: str, name: str) -> None:
    tree, (section, _, old) = deepcopy(GOOD), dotted.rpartition(".")
    table = table_at(tree, section)
    table[name] = table.pop(old)
    assert len(errors(json.dumps(tree))) == 1
    assert mended(tree) == GOOD


@pytest.mark.parametrize(("dotted", "to"), MOVED)
def test_a_key_in_another_section_goes_back(dotted: str, to: str) -> None:
    tree, (section, _, name) = deepcopy(GOOD), dotted.rpartition(".")
    table_at(tree, to)[name] = table_at(tree, section).pop(name)
    assert mended(tree) == GOOD


@pytest.mark.parametrize("dotted", INTO_ITSELF)
def test_a_section_inside_itself_is_taken_out(dotted: str) -> None:
    tree, (section, _, name) = deepcopy(GOOD), dotted.rpartition(".")
    table = table_at(tree, section)
    table[name] = {name: table[name]}
    assert mended(tree) == GOOD


@pytest.mark.parametrize("wrap", [lambda name, value: [value], lambda name, value: {name: value}])
@pytest.mark.parametrize("dotted", WRAPPED)
def test_a_value_is_taken_out_of_what_is_around_it(dotted: str, wrap: Any) -> None:
    tree, (section, _, name) = deepcopy(GOOD), dotted.rpartition(".")
    table = table_at(tree, section)
    table[name] = wrap(name, table[name])
    assert mended(tree) == GOOD


@pytest.mark.parametrize(
    ("written", "read"), [("500M", 500_000_000), ("70,000,000", 70_000_000), ("7_000", 7000), ("2GB", 2_000_000_000)]
)
def test_a_number_with_a_unit_is_read(written: str, read: int) -> None:
    tree = deepcopy(GOOD)
    tree["zero_optimization"]["reduce_bucket_size"] = written
    assert mended(tree)["zero_optimization"]["reduce_bucket_size"] == read


@pytest.mark.parametrize("value", [7, {"device": "cpu"}])
def test_no_certain_fix_drops_what_says_something_else(value: Any) -> None:
    tree = deepcopy(GOOD)
    tree["Zero_Optimization"] = value
    (found,) = errors(json.dumps(tree))
    assert not found.fixes[0].certain


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("bucket_size", ["reduce_bucket_size", "allgather_bucket_size"], (None, False)),
        ("bucket_size", ["reduce_bucket_size", "overlap_comm"], ("reduce_bucket_size", False)),
        ("steps", ["warmup_steps"], (None, False)),
        ("stgae", ["stage"], ("stage", True)),
        ("model", ["steps_per_print"], (None, False)),
    ],
)
def test_words_that_say_little_are_no_name(name: str, known: list[str], meant: tuple[str | None, bool]) -> None:
    assert resembling(name, known) == meant
