"""What the mutations start from: the shipped specs, a project's file, overrides, and ds_configs of many sections."""

from __future__ import annotations

import json
from functools import cache

from cfgc.load.disk import DiskReader
from cfgc.resources import shipped_dir
from tests.fuzz.seeds_run import HUGGINGFACE, OWN_CODE, RUN, TASKS

SHIPPED = DiskReader(shipped_dir("specs"), shipped_dir("specs"))

PROJECT = """# What holds for every spec.
search = ["specs", "."]
out = "out"

[target]
deepspeed = "0.19.8"
torch = "2.13.0"
"""

LANGUAGE = """extends = ["cfgc:bases/small.toml", "own.toml"]
unset = ["training.warmup_steps"]
append."data.sources" = [{ name = "more", path = { env = "DATA", path = "more" } }]

[overlays]
hardware = "h100-80gb"
zero = "3-offload"

[experiment]
name = "fuzz"
tags = ["width-${model.hidden_size}", 'a $${literal}']

[training]
max_steps = 5e2
learning_rate = 3e-4
gradient_clipping = "${max(0.5, 1 / model.num_layers)}"

[[data.sources]]
name = "text"
path = "data"
include = ["*.txt"]

[launch]
gpus_per_node = 8
time_limit = "1-12:00:00"

[deepspeed.raw]
reason = "measured"
zero_optimization.ignore_unused_parameters = false
"""
OWN = '[model]\nnum_layers = 12\n[checks]\nallow = { CFG428 = "tried" }\n'

OVERRIDES = (
    "training.learning_rate=1e-4", "training.max_steps*=2", "~training.warmup_steps", "**.hidden_dropout=0.1", "zero=3",
    "~zero", "hardware=cpu", "launch.nodes=2", "training.precision=fp32", 'experiment.tags=["a", "b"]',
    "deepspeed.offload.optimizer=cpu", "model.num_layers=${model.num_heads}", "training.max_steps-=10",
    "data.sequence_length=64", "launch.run_dir={ env = \"SCRATCH\", path = \"runs\" }",
)  # fmt: skip

DS_CONFIGS: tuple[dict[str, object], ...] = (
    {
        "train_batch_size": 32,
        "train_micro_batch_size_per_gpu": 4,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": 1.0,
        "steps_per_print": 10,
        "optimizer": {"type": "AdamW", "params": {"lr": 3e-5, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.1}},
        "scheduler": {"type": "WarmupLR", "params": {"warmup_min_lr": 0, "warmup_max_lr": 3e-5,
            "warmup_num_steps": 500}},
        "fp16": {"enabled": True, "loss_scale": 0, "initial_scale_power": 16, "loss_scale_window": 1000,
            "hysteresis": 2},
        "zero_optimization": {
            "stage": 3,
            "offload_optimizer": {"device": "cpu", "pin_memory": True},
            "offload_param": {"device": "nvme", "nvme_path": "/local/nvme", "buffer_count": 5, "buffer_size": 1e8},
            "overlap_comm": True,
            "contiguous_gradients": True,
            "sub_group_size": 1e9,
            "reduce_bucket_size": 5e8,
            "stage3_max_live_parameters": 1e9,
            "stage3_gather_16bit_weights_on_model_save": True,
        },
        "aio": {"block_size": 1048576, "queue_depth": 8, "single_submit": False,
            "overlap_events": True},
    },
    {
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        "bf16": {"enabled": "auto"},
        "zero_optimization": {"stage": 2, "allgather_bucket_size": 2e8, "round_robin_gradients": True},
        "activation_checkpointing": {"partition_activations": True, "cpu_checkpointing": False,
            "number_checkpoints": 4},
        "wall_clock_breakdown": False,
        "comms_logger": {"enabled": True, "verbose": False, "prof_all": True, "debug": False},
        "flops_profiler": {"enabled": True, "profile_step": 1, "module_depth": -1, "top_modules": 1, "detailed": True},
    },
    {
        "train_micro_batch_size_per_gpu": 2,
        "optimizer": {"type": "OneBitAdam", "params": {"lr": 1e-4, "freeze_step": 400, "cuda_aware": False}},
        "curriculum_learning": {"enabled": True, "curriculum_type": "seqlen", "min_difficulty": 8,
            "max_difficulty": 1024},
        "elasticity": {"enabled": True, "max_train_batch_size": 2000, "micro_batch_sizes": [2, 4, 6], "min_gpus": 1},
        "compression_training": {"weight_quantization": {"shared_parameters": {"enabled": True},
            "different_groups": {}}},
        "tensorboard": {"enabled": True, "output_path": "logs/", "job_name": "run"},
        "wandb": {"enabled": False},
        "data_types": {"grad_accum_dtype": "fp32"},
        "checkpoint": {"tag_validation": "Warn", "parallel_write": {"pipeline_stage": False}},
        "pipeline": {"seed_layers": False, "activation_checkpoint_interval": 0},
        "sparse_attention": {"mode": "fixed", "block": 16},
        "zero_allow_untested_optimizer": True,
    },
)  # fmt: skip


@cache
def spec_texts() -> tuple[str, ...]:
    """The shipped examples, a spec that uses the whole language, and some that use all that a run can do."""
    names = (f"examples/{name}" for name in SHIPPED.entries("cfgc:examples") or ())
    return (LANGUAGE, RUN, OWN_CODE, HUGGINGFACE, *TASKS, *(_shipped(name) for name in names))


@cache
def ds_texts() -> tuple[str, ...]:
    """ds_configs, as people write them and on one line."""
    return tuple(json.dumps(config, indent=indent) for config in DS_CONFIGS for indent in (2, None))


def _shipped(name: str) -> str:
    data = SHIPPED.read(f"cfgc:{name}")
    assert data is not None, f"{name} is shipped"
    return data.decode()
