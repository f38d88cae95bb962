"""What a bundle leaves out of ds_config.json, and why that can't change training or memory."""

from __future__ import annotations

SWITCHED_OFF = "read only when the section's `enabled`, which is written as false, is true"
DEPRECATED = "a deprecated spelling of a key that is written; writing it too is refused or warned about"
PRESENCE = "the section has no switch: that it is absent is what turns it off"
REMOVED = "refused when present"
COMPILER = "read only by `engine.compile()`, which the runtime never calls; `deepcompile` is written as false"

NOT_WRITTEN: dict[str, str] = {
    "aio": "read only for offloading to NVMe, which a spec can't ask for",
    "comms_logger": PRESENCE,
    "datastates_ckpt": PRESENCE,
    "expert_parallel": PRESENCE,
    "pipeline": "read only by the engine of pipeline modules",
    "scheduler": "the runtime sets the rate of every step; a scheduler would set it a second time",
    "tensor_parallel": PRESENCE,
    "vocabulary_size": "used for one warning only",
    "weight_quantization": PRESENCE,
    "optimizer.params.max_grad_norm": "refused by the engine; `gradient_clipping` is written",
    "data_efficiency.data_routing": SWITCHED_OFF,
    "data_efficiency.data_sampling": SWITCHED_OFF,
    "data_efficiency.seed": SWITCHED_OFF,
    "torch_autocast.dtype": SWITCHED_OFF,
    "torch_autocast.lower_precision_safe_modules": SWITCHED_OFF,
    **{
        f"flops_profiler.{key}": SWITCHED_OFF
        for key in ("detailed", "module_depth", "output_file", "profile_step", "recompute_fwd_factor", "top_modules")
    },
}
"""Keys that DeepSpeed asks a plain dictionary for and a bundle does not have; ``autotuning.*`` aside."""

_ZERO = ("cpu_offload", "cpu_offload_param", "cpu_offload_use_pin_memory", "stage3_gather_fp16_weights_on_model_save")
_MONITORS = {
    "TensorBoardConfig": ("job_name", "output_path"),
    "CometConfig": (
        *("api_key", "experiment_key", "experiment_name", "mode", "online", "project", "samples_log_interval"),
        "workspace",
    ),
    "WandbConfig": ("group", "project", "team"),
    "CSVConfig": ("job_name", "output_path"),
    "HybridEngineConfig": (
        *("enable_cuda_graph", "inference_tp_size", "max_out_tokens", "pin_parameters", "release_inference_cache"),
        "tp_gather_partition_size",
    ),
}
_COMPILE = (
    *("autoep_non_moe", "debug_log", "double_buffer", "free_activation", "free_activation_threshold"),
    *("keep_all_input_tensors", "keep_int_input_tensors", "offload_activation", "offload_activation_pin_memory"),
    *("offload_opt_states", "offload_parameters", "passes", "symmetric_memory", "sync_after_allgather"),
    *("sync_after_reduce", "sync_before_allgather", "sync_before_reduce"),
)

UNSET_FIELDS: dict[str, dict[str, str]] = {
    "DeepSpeedZeroConfig": dict.fromkeys(_ZERO, DEPRECATED),
    "CompileConfig": dict.fromkeys(_COMPILE, COMPILER),
    **{name: dict.fromkeys(fields, SWITCHED_OFF) for name, fields in _MONITORS.items()},
}
"""Fields of pydantic sections that a bundle leaves unset, by class."""

ABSENT_SECTIONS = {"TPTrainingConfig": PRESENCE, "TPConfig": PRESENCE}
"""Pydantic classes whose section is not written at all."""
