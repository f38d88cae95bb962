"""Keys of other tools that are met in a ds_config, and what DeepSpeed calls the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cfgc.deepspeed.config import Path

TRAINER = "the Hugging Face Trainer"
ACCELERATE = "accelerate"
LIGHTNING = "Lightning"
MEGATRON = "Megatron"
INFERENCE = "`deepspeed.init_inference`"
SCRIPT = "the training script"


@dataclass(frozen=True)
class Foreign:
    """Whose key it is, where DeepSpeed has it (empty when nowhere), and what to know."""

    tool: str
    ours: Path = ()
    note: str = ""


def _keys(tool: str, ours: str, *names: str, note: str = "") -> dict[str, Foreign]:
    return dict.fromkeys(names, Foreign(tool, tuple(ours.split(".")) if ours else (), note))


_MICRO = "train_micro_batch_size_per_gpu"
_STEPS = "how long a run is belongs to the training script; DeepSpeed takes steps as they come"
_CHECKPOINTING = "the model switches it on (`gradient_checkpointing_enable()`); DeepSpeed's section only tunes its own"

FOREIGN: Mapping[str, Foreign] = {
    **_keys(TRAINER, _MICRO, "per_device_train_batch_size", "per_gpu_train_batch_size"),
    **_keys(TRAINER, "gradient_clipping", "max_grad_norm"),
    **_keys(TRAINER, "optimizer.params.lr", "learning_rate"),
    **_keys(TRAINER, "scheduler.type", "lr_scheduler_type"),
    **_keys(TRAINER, "scheduler.params.warmup_num_steps", "warmup_steps", "num_warmup_steps"),
    **_keys(TRAINER, "scheduler.params.total_num_steps", "num_training_steps"),
    **_keys(TRAINER, "steps_per_print", "logging_steps"),
    **_keys(TRAINER, "", "gradient_checkpointing", note=_CHECKPOINTING),
    **_keys(TRAINER, "", "num_train_epochs", "max_steps", "warmup_ratio", note=_STEPS),
    **_keys(TRAINER, "", "per_device_eval_batch_size", "output_dir", "save_steps", "save_strategy", "eval_steps"),
    **_keys(TRAINER, "", "save_total_limit", "evaluation_strategy", "report_to", "remove_unused_columns", "optim"),
    **_keys(TRAINER, "bf16.enabled", "bf16_full_eval"),
    **_keys(ACCELERATE, "zero_optimization.stage", "zero_stage"),
    **_keys(ACCELERATE, "zero_optimization.offload_optimizer.device", "offload_optimizer_device"),
    **_keys(ACCELERATE, "zero_optimization.offload_param.device", "offload_param_device"),
    **_keys(ACCELERATE, "zero_optimization.offload_optimizer.nvme_path", "offload_optimizer_nvme_path"),
    **_keys(ACCELERATE, "zero_optimization.offload_param.nvme_path", "offload_param_nvme_path"),
    **_keys(ACCELERATE, "zero_optimization.stage3_gather_16bit_weights_on_model_save", "zero3_save_16bit_model"),
    **_keys(ACCELERATE, "", "zero3_init_flag", "deepspeed_config_file", "deepspeed_multinode_launcher"),
    **_keys(ACCELERATE, "", "distributed_type", "num_processes", "num_machines", "machine_rank", "mixed_precision"),
    **_keys(ACCELERATE, "", "main_process_ip", "main_process_port", "compute_environment", "deepspeed_config"),
    **_keys(LIGHTNING, "gradient_accumulation_steps", "accumulate_grad_batches"),
    **_keys(LIGHTNING, "gradient_clipping", "gradient_clip_val"),
    **_keys(LIGHTNING, "", "logging_batch_size_per_gpu", "precision", "strategy", "devices", "accelerator"),
    **_keys(MEGATRON, "gradient_clipping", "clip_grad", "clip-grad"),
    **_keys(MEGATRON, _MICRO, "micro-batch-size"),
    **_keys(MEGATRON, "train_batch_size", "global-batch-size"),
    **_keys(MEGATRON, "tensor_parallel.autotp_size", "tensor_model_parallel_size", "tensor-model-parallel-size"),
    **_keys(MEGATRON, "", "pipeline_model_parallel_size", "pipeline-model-parallel-size", "pipe-parallel-size"),
    **_keys(MEGATRON, "", "train_iters", "train-iters", "lr_decay_iters", note=_STEPS),
    **_keys(INFERENCE, "", "enable_cuda_graph", "replace_with_kernel_inject", "replace_method", "injection_policy"),
    **_keys(INFERENCE, "", "kernel_inject", "max_out_tokens", "min_out_tokens", "use_triton", "triton_autotune"),
    **_keys(INFERENCE, "", "return_tuple", "training_mp_size", "keep_module_on_host", "set_empty_params"),
    **_keys(INFERENCE, "tensor_parallel.autotp_size", "mp_size", "tp_size"),
    **_keys(SCRIPT, "", "seed", "epochs", "num_epochs", "max_epochs", "num_workers", "local_rank", note=""),
    **_keys("other trainers", _MICRO, "micro_batch_size", "batch_size_per_gpu", "micro_batch_size_per_gpu"),
    **_keys("other trainers", "train_batch_size", "global_batch_size", "batch_size"),
    **_keys("other trainers", "gradient_clipping", "grad_clip", "gradient_clip", "clip_grad_norm", "grad_norm_clip"),
    **_keys("other trainers", "gradient_accumulation_steps", "accumulation_steps", "grad_accum_steps", "grad_accum"),
    **_keys("other trainers", "scheduler", "lr_scheduler"),
    **_keys("other trainers", "optimizer.params.lr", "lr"),
    **_keys("older texts", "comms_logger", "comms_config"),
}
"""By the name that stands at the top of a ds_config."""
