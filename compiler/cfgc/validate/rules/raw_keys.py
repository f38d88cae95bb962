"""Keys of ds_config.json that say what a key of the spec says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ZERO = (
    "stage",
    "overlap_comm",
    "contiguous_gradients",
    "reduce_scatter",
    "allgather_partitions",
    "allgather_bucket_size",
    "reduce_bucket_size",
    "round_robin_gradients",
    "sub_group_size",
    "stage3_prefetch_bucket_size",
    "stage3_param_persistence_threshold",
    "stage3_max_live_parameters",
    "stage3_max_reuse_distance",
    "stage3_gather_16bit_weights_on_model_save",
)
_FP16 = ("loss_scale", "initial_scale_power", "loss_scale_window", "hysteresis", "min_loss_scale")
_OFFLOAD = {"cpu_offload": "optimizer", "cpu_offload_param": "parameters", "cpu_offload_use_pin_memory": "pin_memory"}

_TOP = ("communication_data_type", "prescale_gradients", "gradient_predivide_factor", "wall_clock_breakdown")

SAME_NAMES: Mapping[str, str] = MappingProxyType(
    {
        **{f"zero_optimization.{key}": f"deepspeed.zero.{key}" for key in _ZERO},
        **{f"fp16.{key}": f"deepspeed.fp16.{key}" for key in _FP16},
        **{key: f"deepspeed.{key}" for key in _TOP},
    }
)
"""Keys of ds_config.json that have the same last part, meaning and values in the spec."""

OWNED: Mapping[str, str] = MappingProxyType(
    {
        "train_batch_size": "training.global_batch_size",
        "train_micro_batch_size_per_gpu": "training.micro_batch_size",
        "gradient_accumulation_steps": "training.gradient_accumulation_steps",
        "gradient_clipping": "training.gradient_clipping",
        "fp16.enabled": "training.precision",
        "bf16.enabled": "training.precision",
        "bfloat16": "training.precision",
        "torch_autocast": "training.precision",
        "data_types.param_dtype": "training.precision",
        "optimizer.type": "training.optimizer.type",
        "optimizer.params.lr": "training.learning_rate",
        "optimizer.params.betas": "training.optimizer.betas",
        "optimizer.params.eps": "training.optimizer.eps",
        "optimizer.params.momentum": "training.optimizer.momentum",
        "optimizer.params.weight_decay": "training.optimizer.weight_decay",
        "optimizer.params.torch_adam": "training.optimizer.type",
        "optimizer.params.adam_w_mode": "training.optimizer.type",
        "scheduler": "training.scheduler.type",
        "log_level": "tracking.log_level",
        "activation_checkpointing": "model.activation_checkpointing",
        "dataloader_drop_last": "data.drop_last",
        "tensor_parallel": "parallel.tensor_parallel",
        "pipeline": "parallel.pipeline_parallel",
        "sequence_parallel_size": "parallel.sequence_parallel",
        "expert_parallel": "parallel.expert_parallel",
        "zero_optimization.offload_optimizer": "deepspeed.offload.optimizer",
        "zero_optimization.offload_param": "deepspeed.offload.parameters",
        "managed_gradient_accumulation": "",
        **{f"zero_optimization.{key}": f"deepspeed.offload.{home}" for key, home in _OFFLOAD.items()},
        **SAME_NAMES,
    }
)
"""Keys of ds_config.json that follow from the spec, and the spec's key; empty where no key may change it."""
