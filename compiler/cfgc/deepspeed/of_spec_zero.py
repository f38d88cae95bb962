"""``zero_optimization`` of ds_config.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc.deepspeed.config import Json
    from cfgc.schema.spec import Spec

UNLIMITED = 2**63 - 1
"""DeepSpeed's own spelling of no limit (``sys.maxsize``)."""


def zero_section(spec: Spec) -> dict[str, Json]:
    """Every field of DeepSpeed's ZeRO settings but its deprecated spellings."""
    return {
        "stage": spec.deepspeed.zero.stage,
        **_gradients(spec),
        **_stage_3(spec),
        **_offload(spec),
        **_off(),
    }


def _gradients(spec: Spec) -> dict[str, Json]:
    zero = spec.deepspeed.zero
    return {
        "overlap_comm": zero.overlap_comm,
        "contiguous_gradients": zero.contiguous_gradients,
        "reduce_scatter": zero.reduce_scatter,
        "reduce_bucket_size": zero.reduce_bucket_size,
        "use_multi_rank_bucket_allreduce": True,
        "allgather_partitions": zero.allgather_partitions,
        "allgather_bucket_size": zero.allgather_bucket_size,
        "round_robin_gradients": zero.round_robin_gradients,
        "sub_group_size": zero.sub_group_size,
        "compute_grad_norm": True,
        "ignore_unused_parameters": True,
        "parameter_alignment": False,
    }


def _stage_3(spec: Spec) -> dict[str, Json]:
    zero = spec.deepspeed.zero
    return {
        "stage3_prefetch_bucket_size": zero.stage3_prefetch_bucket_size,
        "stage3_param_persistence_threshold": zero.stage3_param_persistence_threshold,
        "stage3_model_persistence_threshold": UNLIMITED,
        "stage3_max_live_parameters": zero.stage3_max_live_parameters,
        "stage3_max_reuse_distance": zero.stage3_max_reuse_distance,
        "stage3_gather_16bit_weights_on_model_save": zero.stage3_gather_16bit_weights_on_model_save,
        "stage3_module_granularity_threshold": 0,
        "stage3_use_all_reduce_for_fetch_params": False,
        "stage3_allgather_sequential": False,
        "memory_efficient_linear": True,
        "override_module_apply": True,
        "leaf_module": {"classes": [], "names": [], "name_suffixes": []},
    }


def _offload(spec: Spec) -> dict[str, Json]:
    offload = spec.deepspeed.offload
    optimizer: Json = {
        "device": "cpu",
        "nvme_path": None,
        "buffer_count": 4,
        "pin_memory": offload.pin_memory,
        "pipeline_read": False,
        "pipeline_write": False,
        "fast_init": False,
        "ratio": offload.ratio,
        "super_offload": False,
        "cpuadam_cores_perc": 0.8,
    }
    parameters: Json = {
        "device": "cpu",
        "nvme_path": None,
        "buffer_count": 5,
        "buffer_size": 100_000_000,
        "max_in_cpu": 1_000_000_000,
        "pin_memory": offload.pin_memory,
    }
    return {
        "offload_optimizer": optimizer if offload.optimizer == "cpu" else None,
        "offload_param": parameters if offload.parameters == "cpu" else None,
    }


def _off() -> dict[str, Json]:
    """Features that the runtime does not use, and checkpoint habits that it relies on."""
    return {
        "load_from_fp32_weights": True,
        "elastic_checkpoint": False,
        "pipeline_loading_checkpoint": False,
        "legacy_stage1": False,
        "zenflow": None,
        "zero_hpz_partition_size": 1,
        "zero_quantized_weights": False,
        "zero_quantized_nontrainable_weights": False,
        "zero_quantized_gradients": False,
        "log_trace_cache_warnings": False,
        "enable_sanity_checks": False,
        "save_muon_momentum_buffer_in_memory": False,
    }
