"""DeepSpeed 0.19.8 reads every ds_config that cfgc writes, and takes nothing from its own defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from deepspeed import comm
from deepspeed.runtime.config import DeepSpeedConfig

from cfgc.cli import run
from cfgc.deepspeed.releases import release
from cfgc.load.disk import DiskReader
from cfgc.lower.plan import Plan
from cfgc.pipeline import check, lower
from cfgc.resources import shipped_dir
from cfgc.stages.pipeline import PipelinePlan
from cfgc.validate.rules.raw_keys import OWNED
from tests.deepspeed.allowed import ABSENT_SECTIONS, NOT_WRITTEN, UNSET_FIELDS
from tests.deepspeed.parsing import FakeRanks, is_written, parse, sections
from tests.unit.lower.planning import plan_of

GPU = {"hardware": {"device": "cuda", "architecture": "hopper"}}
OFFLOADS: dict[str, dict[str, Any]] = {
    "none": {},
    "optimizer": {"offload": {"optimizer": "cpu", "pin_memory": True}},
    "both": {"offload": {"optimizer": "cpu", "parameters": "cpu"}},
}
LEAST_STAGE = {"none": 0, "optimizer": 1, "both": 3}
MATRIX = [
    pytest.param(stage, precision, offload, optimizer, id=f"zero{stage}-{precision}-{offload}-{optimizer}")
    for stage in range(4)
    for precision in ("fp32", "bf16", "fp16")
    for offload in OFFLOADS
    if stage >= LEAST_STAGE[offload] and (stage > 0 or precision != "fp16")
    for optimizer in ("adamw", "adam", "sgd", "fused_adam", "lion")
]
EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[2] / "specs" / "examples").glob("*.toml"))
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def plan_at(stage: int, precision: str, offload: str, optimizer: str) -> Plan:
    deepspeed = {"zero": {"stage": stage}, **OFFLOADS[offload]}
    training = {"precision": precision, "optimizer": {"type": optimizer}}
    return plan_of(GPU, {"deepspeed": deepspeed, "training": training})


@pytest.mark.parametrize(("stage", "precision", "offload", "optimizer"), MATRIX)
def test_nothing_is_left_to_a_default(stage: int, precision: str, offload: str, optimizer: str) -> None:
    assert_complete(plan_at(stage, precision, offload, optimizer))


@pytest.mark.parametrize("name", EXAMPLES)
def test_shipped_examples_are_complete_too(name: str, repository: Path) -> None:
    plan = lower(check(DiskReader(repository, shipped_dir("specs")), f"specs/examples/{name}.toml"))
    plans = [stage.plan for stage in plan.stages] if isinstance(plan, PipelinePlan) else [plan]
    trainings = [each for each in plans if isinstance(each, Plan)]
    assert trainings
    for training in trainings:
        assert_complete(training)


def assert_complete(plan: Plan) -> None:
    """DeepSpeed accepts the plan's ds_config, and what it looks for in vain is listed with a reason."""
    parsed, asked = parse(plan)
    keys = release(plan.target.deepspeed).keys.values()
    removed = {".".join(key.path) for key in keys if key.refused}
    defaulted = {key for key in asked if not is_written(plan, key) and not key.startswith("autotuning.")}
    handed = {"optimizer"} if plan.optimizer.type == "lion" else set()  # DeepSpeed gets the object
    assert defaulted - removed - set(NOT_WRITTEN) == handed
    for section in sections(parsed):
        name = type(section).__name__
        if name not in ABSENT_SECTIONS:
            unset = set(type(section).model_fields) - section.model_fields_set
            assert unset == set(UNSET_FIELDS.get(name, {})), name


@pytest.mark.parametrize(("stage", "precision", "offload", "optimizer"), MATRIX)
def test_deepspeed_reads_what_the_plan_says(stage: int, precision: str, offload: str, optimizer: str) -> None:
    plan = plan_at(stage, precision, offload, optimizer)
    parsed, _ = parse(plan)
    batch = plan.batch
    assert parsed.world_size == plan.topology.data_parallel
    assert parsed.train_batch_size == batch.global_batch_size
    assert parsed.train_micro_batch_size_per_gpu == batch.micro_batch_size
    assert parsed.gradient_accumulation_steps == batch.gradient_accumulation_steps
    assert parsed.gradient_clipping == plan.optimizer.gradient_clipping
    assert parsed.zero_config.stage == plan.zero_stage
    assert parsed.bfloat16_config.enabled == (plan.precision == "bf16")
    assert parsed.float16_config.enabled == (plan.precision == "fp16")
    assert parsed.communication_data_type == DTYPES[plan.precision]
    assert parsed.zero_allow_untested_optimizer == (plan.optimizer.type in ("sgd", "lion"))
    if plan.optimizer.type == "lion":
        assert parsed.optimizer_name is None
    else:
        assert parsed.optimizer_params["lr"] == plan.schedule.learning_rate
        assert parsed.optimizer_params["weight_decay"] == plan.optimizer.weight_decay
    assert parsed.scheduler_name is None
    for device, config in (
        ("optimizer", parsed.zero_config.offload_optimizer),
        ("both", parsed.zero_config.offload_param),
    ):
        wanted = offload in ("both", device)
        assert (config.device if config else "none") == ("cpu" if wanted else "none")


def test_deepspeed_reads_the_file_that_show_prints(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = repository / "specs" / "examples" / "8xa100-zero2.toml"
    assert run(["show", str(spec), "training.gradient_clipping=0.75", "--format", "deepspeed"]) == 0
    path = tmp_path / "ds_config.json"
    path.write_text(capsys.readouterr().out)
    with mock.patch.object(comm, "get_rank", return_value=0):
        parsed = DeepSpeedConfig(str(path), mpu=FakeRanks(8))
    assert (parsed.train_batch_size, parsed.gradient_accumulation_steps) == (384, 12)
    assert parsed.gradient_clipping == 0.75


def test_every_allowance_is_needed() -> None:
    asked: set[str] = set()
    unset: dict[str, set[str]] = {}
    for optimizer in ("adamw", "sgd"):
        parsed, keys = parse(plan_at(3, "bf16", "both", optimizer))
        asked |= keys
        for section in sections(parsed):
            missing = set(type(section).model_fields) - section.model_fields_set
            unset.setdefault(type(section).__name__, set()).update(missing)
    assert set(NOT_WRITTEN) - asked == set()
    assert set(ABSENT_SECTIONS) - set(unset) == set()
    assert {name: set(fields) for name, fields in UNSET_FIELDS.items()} == {
        name: fields for name, fields in unset.items() if name in UNSET_FIELDS
    }


def test_every_owned_key_with_a_home_is_written_or_off() -> None:
    plan = plan_at(3, "bf16", "both", "adamw")
    off = {"bfloat16", "scheduler", "tensor_parallel", "pipeline", "sequence_parallel_size", "expert_parallel"}
    absent = {key for key in OWNED if not is_written(plan, key)}
    assert absent == {
        *off,
        "optimizer.params.momentum",
        *(f"zero_optimization.{key}" for key in ("cpu_offload", "cpu_offload_param", "cpu_offload_use_pin_memory")),
    }


def test_integers_stay_integers() -> None:
    plan = plan_of({"deepspeed": {"zero": {"stage": 2, "reduce_bucket_size": 5e8}, "fp16": {"min_loss_scale": 1.0}}})
    zero = plan.ds_config["zero_optimization"]
    fp16 = plan.ds_config["fp16"]
    assert isinstance(zero, dict)
    assert isinstance(fp16, dict)
    assert zero["reduce_bucket_size"] == 500_000_000
    assert isinstance(zero["reduce_bucket_size"], int)
    assert isinstance(fp16["min_loss_scale"], int)


def test_raw_keys_are_merged_on_top() -> None:
    raw = {"reason": "try it", "memory_breakdown": True, "zero_optimization": {"ignore_unused_parameters": False}}
    plan = plan_of({"deepspeed": {"zero": {"stage": 2}, "raw": raw}})
    parsed, _ = parse(plan)
    assert parsed.memory_breakdown is True
    assert parsed.zero_config.ignore_unused_parameters is False
    assert parsed.zero_config.stage == 2
    assert plan.review.raw_keys == ("memory_breakdown", "zero_optimization.ignore_unused_parameters")
    assert plan.review.raw_reason == "try it"
    assert "reason" not in plan.ds_config
