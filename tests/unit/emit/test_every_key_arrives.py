"""A key that only travels (to DeepSpeed, Slurm, torchrun, the environment) arrives where it is read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cfgc.diagnostics import Rejected
from cfgc.emit.plan_md import plan_md
from cfgc.emit.scripts import launch_sh
from cfgc.emit.slurm.job import job_sbatch
from cfgc.load.disk import DiskReader
from cfgc.lower.plan import Plan
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir
from cfgc.schema.catalogue import catalogue

TINY = Path(__file__).resolve().parents[2] / "runtime"


@cache
def plan_of(*overrides: str) -> Plan:
    plan = plan_spec(DiskReader(TINY, shipped_dir("specs")), "tiny.toml", overrides)
    assert isinstance(plan, Plan)
    return plan


def at(config: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        config = config[name]
    return config


ZERO3 = ("zero=3",)
OFFLOAD = ("zero=3-offload",)
FP16 = ("hardware=a100-80gb", "training.precision=fp16")
DEEPSPEED: list[tuple[str, Any, str, tuple[str, ...]]] = [
    ("zero.stage", 1, "zero_optimization.stage", ()),
    ("zero.overlap_comm", True, "zero_optimization.overlap_comm", ()),
    ("zero.contiguous_gradients", False, "zero_optimization.contiguous_gradients", ("~zero", "deepspeed.zero.stage=1")),
    ("zero.reduce_scatter", False, "zero_optimization.reduce_scatter", ()),
    ("zero.allgather_partitions", False, "zero_optimization.allgather_partitions", ()),
    ("zero.allgather_bucket_size", 12345, "zero_optimization.allgather_bucket_size", ()),
    ("zero.reduce_bucket_size", 12345, "zero_optimization.reduce_bucket_size", ()),
    ("zero.round_robin_gradients", True, "zero_optimization.round_robin_gradients", ()),
    ("zero.sub_group_size", 12345, "zero_optimization.sub_group_size", ZERO3),
    ("zero.stage3_prefetch_bucket_size", 12345, "zero_optimization.stage3_prefetch_bucket_size", ZERO3),
    ("zero.stage3_param_persistence_threshold", 12345, "zero_optimization.stage3_param_persistence_threshold", ZERO3),
    ("zero.stage3_max_live_parameters", 12345, "zero_optimization.stage3_max_live_parameters", ZERO3),
    ("zero.stage3_max_reuse_distance", 12345, "zero_optimization.stage3_max_reuse_distance", ZERO3),
    (
        "zero.stage3_gather_16bit_weights_on_model_save",
        True,
        "zero_optimization.stage3_gather_16bit_weights_on_model_save",
        ZERO3,
    ),
    ("offload.optimizer", "cpu", "zero_optimization.offload_optimizer.device", ()),
    ("offload.parameters", "cpu", "zero_optimization.offload_param.device", ZERO3),
    ("offload.pin_memory", False, "zero_optimization.offload_optimizer.pin_memory", OFFLOAD),
    ("offload.ratio", 1.0, "zero_optimization.offload_optimizer.ratio", OFFLOAD),
    ("fp16.loss_scale", 128.0, "fp16.loss_scale", FP16),
    ("fp16.initial_scale_power", 12, "fp16.initial_scale_power", FP16),
    ("fp16.loss_scale_window", 77, "fp16.loss_scale_window", FP16),
    ("fp16.hysteresis", 3, "fp16.hysteresis", FP16),
    ("fp16.min_loss_scale", 2.0, "fp16.min_loss_scale", FP16),
    ("communication_data_type", "bf16", "communication_data_type", ("training.precision=bf16",)),
    ("prescale_gradients", True, "prescale_gradients", ("zero=0",)),
    (
        "gradient_predivide_factor",
        2.0,
        "gradient_predivide_factor",
        ("zero=0",),
    ),
    ("wall_clock_breakdown", True, "wall_clock_breakdown", ()),
]


@pytest.mark.covers("deepspeed.*")
@pytest.mark.parametrize(("key", "value", "place", "others"), DEEPSPEED, ids=[row[0] for row in DEEPSPEED])
def test_keys_of_the_engine_are_in_ds_config(key: str, value: Any, place: str, others: tuple[str, ...]) -> None:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    assert at(plan_of(*others, f"deepspeed.{key}={text}").ds_config, place) == value


def keys_below(section: str) -> set[str]:
    """Keys of a section that are not refused as a whole."""
    fields = (field for field in catalogue() if field.path[0] == section)
    return {field.dotted.partition(".")[2] for field in fields if not field.meta.later or field.meta.later.works}


def test_every_key_of_the_engine_is_among_them() -> None:
    assert keys_below("deepspeed") == {key for key, *_ in DEEPSPEED} | {"raw"}


@pytest.mark.covers("deepspeed.raw")
def test_raw_keys_are_in_ds_config() -> None:
    plan = plan_of('deepspeed.raw.reason="to look at memory"', "deepspeed.raw.memory_breakdown=true")
    assert plan.ds_config["memory_breakdown"] is True


@pytest.mark.covers(
    "training.gradient_clipping",
    "training.precision",
    "training.optimizer.betas",
    "training.optimizer.eps",
    "training.optimizer.weight_decay",
)
@pytest.mark.parametrize(
    ("override", "place", "value"),
    [
        ("training.gradient_clipping=0.25", "gradient_clipping", 0.25),
        ("training.precision=bf16", "bf16.enabled", True),
        ("training.optimizer.betas=[0.8, 0.9]", "optimizer.params.betas", [0.8, 0.9]),
        ("training.optimizer.eps=1e-6", "optimizer.params.eps", 1e-6),
        ("training.optimizer.weight_decay=0.2", "optimizer.params.weight_decay", 0.2),
        ("training.optimizer.type=adam", "optimizer.params.adam_w_mode", False),
    ],
)
def test_keys_of_training_are_in_ds_config(override: str, place: str, value: Any) -> None:
    assert at(plan_of(override).ds_config, place) == value


CLUSTER = [
    ("partition=gpu", "#SBATCH --partition=gpu"),
    ("account=lab", "#SBATCH --account=lab"),
    ("qos=high", "#SBATCH --qos=high"),
    ("reservation=week", "#SBATCH --reservation=week"),
    ("constraint=ib", "#SBATCH --constraint=ib"),
    ("exclude=n3", "#SBATCH --exclude=n3"),
    ('modules=["cuda/12"]', "cuda/12"),
    ("mail_user=me@example.org", "#SBATCH --mail-user=me@example.org"),
    ('mail_type=["END"]', "#SBATCH --mail-type=END"),
    ("cpus_per_task=7", "#SBATCH --cpus-per-task=7"),
    ("memory_per_node=8GiB", "#SBATCH --mem=8192M"),
    ("exclusive=true", "#SBATCH --exclusive"),
]


@pytest.mark.covers(
    "cluster.partition",
    "cluster.account",
    "cluster.qos",
    "cluster.reservation",
    "cluster.constraint",
    "cluster.exclude",
    "cluster.modules",
    "cluster.mail_user",
    "cluster.mail_type",
    "cluster.cpus_per_task",
    "cluster.memory_per_node",
    "cluster.exclusive",
)
@pytest.mark.parametrize(("override", "line"), CLUSTER)
def test_keys_of_the_cluster_are_in_job_sbatch(override: str, line: str) -> None:
    extra = ("cluster.mail_user=me@example.org",) if "mail_type" in override else ()
    extra = ('cluster.mail_type=["END"]',) if "mail_user" in override else extra
    assert line not in job_sbatch(plan_of(), "sha256:0").splitlines()
    assert line in job_sbatch(plan_of(*extra, f"cluster.{override}"), "sha256:0")


@pytest.mark.covers("cluster.gres", "cluster.requeue", "launch.signal_lead", "launch.time_limit", "launch.nodes")
def test_what_slurm_is_asked_for_follows_the_spec() -> None:
    gpus = job_sbatch(plan_of("hardware=a100-80gb", "training.precision=bf16", "cluster.gres=gpu:a100"), "sha256:0")
    assert "#SBATCH --gres=gpu:a100:2" in gpus
    timed = job_sbatch(plan_of("launch.time_limit=02:00:00", "launch.signal_lead=4min", "launch.nodes=2"), "sha256:0")
    assert "#SBATCH --time=02:00:00" in timed
    assert "#SBATCH --nodes=2" in timed
    assert "#SBATCH --signal=B:USR2@240" in timed
    assert "scontrol requeue" in job_sbatch(plan_of(), "sha256:0")
    assert "scontrol requeue" not in job_sbatch(plan_of("cluster.requeue=false"), "sha256:0")


LAUNCH = [
    ("launch.gpus_per_node=4", "--nproc-per-node=4"),
    ("launch.threads_per_rank=3", "OMP_NUM_THREADS=3"),
    ("launch.shutdown_grace=45s", "--shutdown-timeout=45"),
    ("launch.master_port=29411", "29411"),
    ("launch.run_dir=elsewhere", "elsewhere"),
    ("launch.python=python3.12", "default_python=python3.12"),
    ('env.variables={ PLANET = "earth" }', "export PLANET=earth"),
    ('env.required=["PLANET"]', "PLANET"),
]


@pytest.mark.covers(
    "launch.gpus_per_node",
    "launch.threads_per_rank",
    "launch.shutdown_grace",
    "launch.master_port",
    "launch.run_dir",
    "launch.python",
    "env.variables",
    "env.required",
)
@pytest.mark.parametrize(("override", "words"), LAUNCH)
def test_keys_of_the_start_are_in_both_scripts(override: str, words: str) -> None:
    assert words not in launch_sh(plan_of())
    plan = plan_of(override)
    assert words in launch_sh(plan)
    assert words in job_sbatch(plan, "sha256:0")


@pytest.mark.covers("launch.launcher", "launch.threads_per_rank", "cluster.cpus_per_task")
def test_srun_starts_a_task_for_each_rank() -> None:
    by_torchrun = job_sbatch(plan_of("launch.threads_per_rank=3"), "sha256:0")
    assert "#SBATCH --ntasks-per-node=1\n#SBATCH --cpus-per-task=6\n" in by_torchrun
    assert "torch.distributed.run" in by_torchrun
    by_srun = job_sbatch(plan_of("launch.threads_per_rank=3", "launch.launcher=srun"), "sha256:0")
    assert "#SBATCH --ntasks-per-node=2\n#SBATCH --cpus-per-task=3\n" in by_srun
    assert "torch.distributed.run" not in by_srun
    assert "#SBATCH --cpus-per-task=4\n" in job_sbatch(
        plan_of("launch.launcher=srun", "cluster.cpus_per_task=4"), "sha256:0"
    )


@pytest.mark.covers("launch.timeout", "hardware.device")
def test_keys_of_the_connection_are_in_the_topology() -> None:
    assert plan_of("launch.timeout=7min").topology.timeout_s == 420
    assert (plan_of().topology.backend, plan_of().topology.device) == ("gloo", "cpu")
    assert plan_of("hardware=a100-80gb", "training.precision=bf16").topology.backend == "nccl"


@pytest.mark.covers("hardware.name")
def test_the_name_of_the_device_is_for_people() -> None:
    plan = plan_of('hardware.name="a shared machine"')
    assert plan.topology.hardware == "a shared machine"
    assert "a shared machine" in plan_md(plan, "sha256:0")


@pytest.mark.covers("target.slurm")
def test_an_old_slurm_is_asked_for_gpus_as_it_understands() -> None:
    gpus = ("hardware=a100-80gb", "training.precision=bf16")
    with pytest.raises(Rejected) as refused:
        plan_of(*gpus, 'target.slurm="18.08"')
    assert {one.code for one in refused.value.diagnostics if one.severity == "error"} == {"CFG620"}
    assert plan_of(*gpus, 'target.slurm="18.08"', "cluster.gres=gpu").target.slurm == "18.08"
