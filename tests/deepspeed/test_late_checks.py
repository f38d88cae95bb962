"""What DeepSpeed checks only when an engine starts: its own check refuses what a rule does, and takes it mended."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from deepspeed.module_inject.auto_ep_config import parse_autoep_config, validate_autoep_config
from deepspeed.module_inject.auto_ep_folding import build_folding_spec, validate_folding_global
from deepspeed.runtime.activation_checkpointing.config import DeepSpeedActivationCheckpointingConfig
from deepspeed.runtime.config import DeepSpeedConfig
from deepspeed.runtime.data_pipeline.config import get_data_efficiency_config
from deepspeed.runtime.data_pipeline.curriculum_scheduler import CurriculumScheduler
from deepspeed.runtime.data_pipeline.data_routing.scheduler import RandomLTDScheduler
from deepspeed.utils.logging import get_log_level_from_string

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.releases import release
from cfgc.diagnostics import Diagnostic
from cfgc.fixing.apply import apply_edits

WORLD = 8
Tree = dict[str, Any]


def start_experts(tree: Tree) -> None:
    """DeepSpeed's checks of ``expert_parallel``, as its engine calls them."""
    config = parse_autoep_config(tree["expert_parallel"])
    tensor, zero = tree.get("tensor_parallel", {}), tree.get("zero_optimization", {})
    size, sequence = tensor.get("autotp_size", 0), tree.get("sequence_parallel_size", 1)
    validate_autoep_config(config, WORLD, 1, size, sequence)
    spec = build_folding_spec(
        world_size=WORLD,
        pp_size=1,
        tp_size=max(size, 1),
        ep_size=config.autoep_size,
        etp_size=config.expert_tensor_parallel_size,
        mp_mode="tp" if size > 1 else "sp",
    )
    validate_folding_global(
        spec,
        zero_stage=zero.get("stage", 0),
        sp_size=sequence,
        deepcompile_enabled=tree.get("compile", {}).get("deepcompile", False),
        use_data_before_expert_parallel=tree.get("use_data_before_expert_parallelism", False),
        tp_preset=tensor.get("preset_model"),
        ep_preset=config.preset_model,
        zero_offload_optimizer=zero.get("offload_optimizer") is not None,
        zero_offload_param=zero.get("offload_param") is not None,
    )


def start_curriculum(tree: Tree) -> None:
    """DeepSpeed's sampler, as far as its schedules."""
    found = get_data_efficiency_config(copy.deepcopy(tree))["data_sampling"]["curriculum_learning"]
    assert found["data_cluster_path"]
    for metric in found["curriculum_metrics"].values():
        assert metric["difficulty_type"]
        assert metric["clustering_type"]
        CurriculumScheduler(metric)


def start_random_ltd(tree: Tree) -> None:
    """DeepSpeed's schedule of dropped tokens, and what its layers ask for."""
    found = get_data_efficiency_config(copy.deepcopy(tree))["data_routing"]["random_ltd"]
    scheduler = RandomLTDScheduler({**found, "global_batch_size": 8, "micro_batch_size": 1})
    scheduler.get_value(10)
    assert found["model_type"] in ("encoder", "decoder")
    assert found["hidden_state_order"] in ("batch_seq_dim", "seq_batch_dim")
    assert "model_mask_name" in found
    assert len(found["random_ltd_layer_id"]) == found["random_ltd_layer_num"]


def start_checkpointing(tree: Tree) -> None:
    """What ``deepspeed.checkpointing.configure`` asserts."""
    config = DeepSpeedActivationCheckpointingConfig(tree)
    assert not config.contiguous_memory_optimization or config.partition_activations
    assert not config.contiguous_memory_optimization or config.number_checkpoints is not None


def experts(section: Tree | None = None, **others: Any) -> Tree:
    """A config with experts over two ranks."""
    return {"expert_parallel": {"enabled": True, "autoep_size": 2, **(section or {})}, **others}


METRIC: Tree = {
    "difficulty_type": "value",
    "clustering_type": "single_cluster",
    "min_difficulty": 8,
    "max_difficulty": 1024,
    "schedule_type": "fixed_linear",
    "schedule_config": {"total_curriculum_step": 100, "difficulty_step": 8},
}
LTD: Tree = {
    "total_layer_num": 12,
    "random_ltd_layer_num": 2,
    "random_ltd_layer_id": [3, 4],
    "model_mask_name": None,
    "model_type": "decoder",
    "hidden_state_order": "batch_seq_dim",
    "random_ltd_schedule": {
        "min_value": 128,
        "max_value": 1024,
        "schedule_type": "fixed_linear",
        "schedule_config": {"require_steps": 100, "seq_per_step": 16},
    },
}
TENSOR = {"tensor_parallel": {"autotp_size": 2}}


def curriculum(without: str = "", **changed: Any) -> Tree:
    """A config with a curriculum."""
    metric = {key: value for key, value in {**METRIC, **changed}.items() if key != without}
    learning = {"enabled": True, "data_cluster_path": "clusters", "curriculum_metrics": {"seqlen": metric}}
    return {"data_efficiency": {"enabled": True, "data_sampling": {"enabled": True, "curriculum_learning": learning}}}


def random_ltd(without: str = "", **changed: Any) -> Tree:
    """A config with dropped tokens."""
    section = {key: value for key, value in {"enabled": True, **LTD, **changed}.items() if key != without}
    return {"data_efficiency": {"enabled": True, "data_routing": {"enabled": True, "random_ltd": section}}}


EXPERTS: dict[str, Tree] = {
    "size": experts({"autoep_size": 3}),
    "width": experts({"expert_tensor_parallel_size": 2}),
    "one rank for all": experts({"autoep_size": 1}, **TENSOR),
    "sequence": experts(sequence_parallel_size=2, **TENSOR),
    "deepcompile": experts(compile={"deepcompile": True}, **TENSOR),
    "plan": experts({"async_split_plan": True}, **TENSOR),
    "order": experts(use_data_before_expert_parallelism=True, **TENSOR),
    "offload": experts(zero_optimization={"stage": 2, "offload_optimizer": {"device": "cpu"}}, **TENSOR),
    "presets": experts({"preset_model": "mixtral"}, tensor_parallel={"autotp_size": 2, "preset_model": "deepseek_v2"}),
    "fused sum": experts({"combine_impl": "fused_weighted_sum"}, **TENSOR),
    "fused sum of DeepEP": experts(
        {"combine_impl": "fused_weighted_sum", "comm_backend": "deepep", "comm_max_tokens_per_rank": 512}
    ),
    "fused gate": experts({"gate_up_impl": "fused", "use_grouped_mm": False}),
    "fused weights": experts({"row_weighting_impl": "fused"}),
    "fused weights alone": experts(
        {
            "row_weighting_impl": "fused",
            "comm_backend": "deepep",
            "autoep_size": 1,
            "comm_max_tokens_per_rank": 512,
        }
    ),
    "DeepEP": experts({"comm_backend": "deepep"}),
    "groups": experts({"num_limited_groups": 4, "num_expert_groups": 2}),
    "dotted name": experts({"expert_w1": "mlp.w1"}),
    "multiprocessors": experts({"comm_num_sm": 0}),
    "word": experts({"comm_backend": "nccl"}),
    "activation": experts({"expert_activation": "relu"}),
}
CURRICULA: dict[str, Tree] = {
    **{f"no {key}": curriculum(key) for key in METRIC},
    "kind": curriculum(schedule_type="linear"),
    "steps": curriculum(schedule_type="fixed_discrete", schedule_config={"difficulty": [8, 64, 128], "max_step": [10]}),
    "root": curriculum(schedule_type="fixed_root"),
    "no metrics": {"data_efficiency": {"data_sampling": {"curriculum_learning": {"enabled": True}}}},
}
TOKENS: dict[str, Tree] = {
    **{f"no {key}": random_ltd(key) for key in LTD},
    "layers": random_ltd(random_ltd_layer_num=3),
    "model": random_ltd(model_type="both"),
    "order": random_ltd(hidden_state_order="batch"),
    "rate": random_ltd(layer_token_lr_schedule={"enabled": True}),
    "schedule": random_ltd(random_ltd_schedule={**LTD["random_ltd_schedule"], "schedule_type": "linear"}),
    "divisor": random_ltd(
        random_ltd_schedule={**LTD["random_ltd_schedule"], "schedule_config": {"require_steps": 0, "seq_per_step": 8}}
    ),
}
OTHERS: dict[str, tuple[Tree, Callable[[Tree], object]]] = {
    "level": ({"log_level": "loud"}, lambda tree: get_log_level_from_string(tree.get("log_level", "info"))),
    "contiguous": (
        {"activation_checkpointing": {"contiguous_memory_optimization": True, "number_checkpoints": 4}},
        start_checkpointing,
    ),
    "uncounted": (
        {"activation_checkpointing": {"contiguous_memory_optimization": True, "partition_activations": True}},
        start_checkpointing,
    ),
    "no tokens": (
        {"data_efficiency": {"data_sampling": {"dynamic_batching": {"enabled": True}}}},
        lambda tree: get_data_efficiency_config(copy.deepcopy(tree)),
    ),
}
CASES: dict[str, tuple[Tree, Callable[[Tree], object]]] = {
    **{f"experts: {name}": (tree, start_experts) for name, tree in EXPERTS.items()},
    **{f"curriculum: {name}": (tree, start_curriculum) for name, tree in CURRICULA.items()},
    **{f"tokens: {name}": (tree, start_random_ltd) for name, tree in TOKENS.items()},
    **OTHERS,
}
GOOD = [(experts(), start_experts), (curriculum(), start_curriculum), (random_ltd(), start_random_ltd)]


def errors_of(text: str) -> list[Diagnostic]:
    """What cfgc says of the file for eight ranks."""
    found = check_ds_config("ds_config.json", text.encode(), release("0.19.8"), world_size=WORLD, device="cuda")
    return [finding for finding in found if finding.severity == "error"]


def text_of(tree: Tree) -> str:
    """The file."""
    return json.dumps({"train_batch_size": 32, "gradient_clipping": 1.0, **tree}, indent=2)


@pytest.mark.parametrize(("tree", "start"), GOOD)
def test_good_sections_start(tree: Tree, start: Callable[[Tree], object]) -> None:
    start(tree)
    assert errors_of(text_of(tree)) == []


@pytest.mark.parametrize("name", CASES)
def test_rule_finds_what_deepspeed_refuses_late(name: str) -> None:
    tree, start = CASES[name]
    with pytest.raises((AssertionError, KeyError, ValueError, RuntimeError, NotImplementedError, ZeroDivisionError)):
        start(tree)
    text = text_of(tree)
    assert errors_of(text)
    for _ in range(4):
        found = errors_of(text)
        if not found:
            break
        text = apply_edits(text, found[0].fixes[0].edits, "json")
    assert errors_of(text) == []
    start(json.loads(text))


def test_outer_switches_are_not_asked() -> None:
    tree = {"train_batch_size": 32, **random_ltd()}
    tree["data_efficiency"]["enabled"] = False
    tree["data_efficiency"]["data_routing"]["enabled"] = False
    read = DeepSpeedConfig(copy.deepcopy(tree)).data_efficiency_config
    assert read["data_routing"]["random_ltd"]["enabled"] is True
    assert [error.code for error in errors_of(text_of(tree))] == ["CFG596"]


def test_curriculum_may_begin_at_nothing() -> None:
    tree = curriculum(min_difficulty=0)
    start_curriculum(tree)
    assert errors_of(text_of(tree)) == []


def test_late_checks_are_late() -> None:
    read = {name: _is_read(tree) for name, (tree, _) in CASES.items()}
    assert [name for name, is_read in read.items() if not is_read] == ["curriculum: no metrics", "no tokens"]


def _is_read(tree: Tree) -> bool:
    try:
        DeepSpeedConfig({"train_batch_size": 32, **copy.deepcopy(tree)})
    except Exception:  # whatever DeepSpeed raises is what is asked for
        return False
    return True
