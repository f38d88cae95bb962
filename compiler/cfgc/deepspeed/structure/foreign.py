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
INSIDE = "DeepSpeed's own code"
OTHERS = "another trainer"
SCRIPT = "a training script"


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

_MONITORS = "the sections of the monitors stand at the top level: `tensorboard`, `wandb`, `csv_monitor`, `comet`"
_SEQUENCE = "DeepSpeed takes the number of ranks that share a sequence, and nothing else of it"
_SCALING = (
    "auto_cast",
    "consecutive_hysteresis",
    "fp16_scale_tolerance",
    "hysteresis",
    "initial_scale_power",
    "loss_scale",
    "loss_scale_window",
    "min_loss_scale",
)
_NO_SCALING = "bf16 reaches as far as fp32, so that no loss is scaled; only `fp16` has these keys"

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
    **_keys(OTHERS, _MICRO, "micro_batch_size", "batch_size_per_gpu", "micro_batch_size_per_gpu"),
    **_keys(OTHERS, "train_batch_size", "global_batch_size", "batch_size"),
    **_keys(OTHERS, "gradient_clipping", "grad_clip", "gradient_clip", "clip_grad_norm", "grad_norm_clip"),
    **_keys(OTHERS, "gradient_accumulation_steps", "accumulation_steps", "grad_accum_steps", "grad_accum"),
    **_keys(OTHERS, "scheduler", "lr_scheduler"),
    **_keys(OTHERS, "optimizer.params.lr", "lr"),
    **_keys(INSIDE, "comms_logger", "comms_config"),
    **_keys(INSIDE, "zero_optimization", "zero_config"),
    **_keys(INSIDE, "fp16", "float16_config", "fp16_config"),
    **_keys(INSIDE, "bf16", "bfloat16_config", "bf16_config"),
    **_keys(INSIDE, "activation_checkpointing", "activation_checkpointing_config"),
    **_keys(INSIDE, "flops_profiler", "flops_profiler_config"),
    **_keys(INSIDE, "aio", "aio_config"),
    **_keys(INSIDE, "compile", "compile_config"),
    **_keys(INSIDE, "checkpoint", "checkpoint_config"),
    **_keys(INSIDE, "tensor_parallel", "tensor_parallel_config"),
    **_keys(INSIDE, "", "monitor_config", note=_MONITORS),
    **_keys(OTHERS, "sequence_parallel_size", "sequence_parallel", note=_SEQUENCE),
    **_keys(INFERENCE, "tensor_parallel.autotp_size", "tensor_parallel.tp_size"),
    **_keys(INFERENCE, "", "tensor_parallel.enabled", note="`autotp_size` above 1 switches tensor parallelism on"),
    **_keys("Apex AMP", "", "fp16.opt_level", "bf16.opt_level", "fp16.keep_batchnorm_fp32"),
    **_keys("fp16's loss scaling", "", *(f"bf16.{name}" for name in _SCALING), note=_NO_SCALING),
}
"""By the name that stands at the top of a ds_config, or by the dotted name where that says more."""
