"""A checked spec becomes a plan with nothing left open."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cfgc.lower.plan import NodePath, Plan
from tests.unit.lower.planning import plan_of

GPU = {"hardware": {"device": "cuda", "architecture": "ampere", "memory": "80GiB"}}


@pytest.mark.covers("training.global_batch_size", "training.micro_batch_size", "training.gradient_accumulation_steps")
def test_topology_and_batch() -> None:
    plan = plan_of(GPU, {"launch": {"nodes": 2, "gpus_per_node": 4}, "training": {"global_batch_size": 512}})
    assert plan.topology.world_size == plan.topology.data_parallel == 8
    assert plan.topology.backend == "nccl"
    assert plan.batch.gradient_accumulation_steps == 8
    assert plan.batch.tokens_per_step == 512 * 64
    assert plan.schedule.total_tokens == 512 * 64 * 1000


def test_cpu_runs_use_gloo() -> None:
    assert plan_of().topology.backend == "gloo"


@pytest.mark.covers("training.max_epochs")
def test_steps_follow_from_epochs() -> None:
    plan = plan_of({"training": {"max_steps": None, "max_epochs": 3}, "data": {"max_train_samples": 3200}})
    assert plan.schedule.max_steps == 300


def test_a_constant_schedule_ends_at_its_peak() -> None:
    plan = plan_of({"training": {"scheduler": {"type": "constant"}}})
    assert plan.schedule.final_learning_rate == plan.schedule.learning_rate


@pytest.mark.covers("evaluation.at_end")
def test_no_evaluation_at_the_end_without_held_out_samples() -> None:
    assert plan_of().evaluation.at_end
    assert not plan_of({"data": {"eval_fraction": 0.0}}).evaluation.at_end


def test_run_directory_is_named_after_the_experiment() -> None:
    assert plan_of().launch.run_dir == NodePath("cwd", "", "runs/small")
    chosen = plan_of({"launch": {"run_dir": {"env": "SCRATCH", "path": "runs"}}})
    assert chosen.launch.run_dir == NodePath("env", "SCRATCH", "runs")


def test_nothing_is_none() -> None:
    def walk(value: Any, where: str) -> None:
        assert value is not None, where
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                walk(getattr(value, field.name), f"{where}.{field.name}")

    for field in dataclasses.fields(Plan):
        if field.name not in ("ds_config", "review"):
            walk(getattr(plan_of(), field.name), field.name)


@pytest.mark.parametrize(
    ("device", "names"),
    [
        ({}, {"DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}),
        (GPU, {"DS_ACCELERATOR": "cuda", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}),
    ],
)
def test_environment_of_the_ranks(device: dict[str, Any], names: dict[str, str]) -> None:
    plan = plan_of(device, {"env": {"variables": {"ZZZ": "last"}}})
    assert names.items() <= plan.launch.environment.items()
    assert list(plan.launch.environment) == sorted(plan.launch.environment)
    assert plan.launch.environment["ZZZ"] == "last"


def directives(*changes: dict[str, Any]) -> dict[str, str]:
    return dict(plan_of(*changes).slurm.directives)


def test_slurm_asks_for_gpus_in_the_spelling_of_the_site() -> None:
    assert directives(GPU)["gpus-per-node"] == "2"
    typed = directives(GPU, {"cluster": {"gres": "gpu:a100"}})
    assert typed["gres"] == "gpu:a100:2"
    assert "gpus-per-node" not in typed
    assert not {"gres", "gpus-per-node"} & set(directives())


def test_slurm_counts_minutes_and_mebibytes() -> None:
    said = directives(
        {"launch": {"time_limit": "01:30:30", "signal_lead": "301s"}, "cluster": {"memory_per_node": 10**9}}
    )
    assert said["time"] == "01:31:00"
    assert said["signal"] == "B:USR2@360"
    assert said["mem"] == "954M"
    assert directives({"launch": {"time_limit": "3d"}})["time"] == "72:00:00"


def test_slurm_gets_only_what_is_said() -> None:
    plain = directives()
    assert not {"partition", "account", "qos", "constraint", "exclude", "export", "mail-user"} & set(plain)
    assert plain["ntasks-per-node"] == "1"
    assert plain["open-mode"] == "append"
    assert plain["requeue"] == ""
    kept = directives({"cluster": {"partition": "gpu", "requeue": False}, "launch": {"max_attempts": 1}})
    assert kept["partition"] == "gpu"
    assert "no-requeue" in kept


def test_estimates_follow_from_the_model() -> None:
    plan = plan_of(GPU, {"deepspeed": {"zero": {"stage": 3}}, "training": {"precision": "bf16"}})
    assert plan.estimate.parameter_bytes == plan.model.parameters * 2 // 2
    assert plan.estimate.device_bytes == 80 * 1024**3
    assert plan.estimate.gpu_hours == 48.0
    assert plan.checkpoint.bytes_each == 14 * plan.model.parameters
