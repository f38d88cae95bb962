"""The ds_config of a spec: every value that affects training or memory, for the release that the spec names.

Rules judge it and lowering puts it in the plan. Nothing is left to a default of DeepSpeed, since a bundle must train
the same on every release: when absent, ``gradient_clipping`` became 1.0 in 0.19.3, ``pin_memory`` true in 0.19.5. A
section that is off is written so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import communication_data_type_of
from cfgc.deepspeed.fitting import fit
from cfgc.deepspeed.of_spec_optimizer import is_tested, optimizer_section
from cfgc.deepspeed.of_spec_zero import zero_section
from cfgc.deepspeed.releases import release

if TYPE_CHECKING:
    from cfgc.arithmetic.batch import Triple
    from cfgc.deepspeed.config import Json
    from cfgc.schema.spec import Spec

REASON = "reason"
"""The key of ``[deepspeed.raw]`` that is not copied: why the rest is there."""

SWITCHED_OFF = (
    "autotuning",
    "comet",
    "csv_monitor",
    "data_efficiency",
    "flops_profiler",
    "hybrid_engine",
    "tensorboard",
    "torch_autocast",
    "wandb",
)
"""Sections that a bundle never uses, each with its own switch."""


def deepspeed_config(spec: Spec, batch: Triple) -> dict[str, Json]:
    """The whole of ds_config.json as the target reads it, raw keys on top."""
    fitted = fit(newest_config(spec, batch), release(spec.target.deepspeed))
    return merge_raw(fitted.config, raw_keys(spec))


def newest_config(spec: Spec, batch: Triple) -> dict[str, Json]:
    """What the spec's own keys say, without the raw ones, in the words of the newest release that is known."""
    return {
        **_batch(batch),
        **_exchange(spec),
        **_precision(spec),
        **_reports(spec),
        "gradient_clipping": clipping_of(spec),
        **optimizer_section(spec),
        "zero_allow_untested_optimizer": not is_tested(spec),
        # An offloaded optimizer is torch's own: DeepSpeed's CPU Adam needs a C++ compiler and 100 s on every node.
        "zero_force_ds_cpu_optimizer": False,
        "zero_optimization": zero_section(spec),
        "activation_checkpointing": _activation_checkpointing(),
        "checkpoint": _checkpoint(),
        "compile": {"deepcompile": False},
        **{section: {"enabled": False} for section in SWITCHED_OFF},
    }


def raw_keys(spec: Spec) -> dict[str, Json]:
    """``[deepspeed.raw]`` without its reason."""
    return {key: value for key, value in spec.deepspeed.raw.items() if key != REASON}


def merge_raw(config: Mapping[str, Json], raw: Mapping[str, Json]) -> dict[str, Json]:
    """``raw`` over ``config``, table by table."""
    merged = dict(config)
    for key, value in raw.items():
        below = merged.get(key)
        merged[key] = merge_raw(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def clipping_of(spec: Spec) -> float:
    """The bound on the gradient norm; with gradient health the last one, which the runtime sets for each step."""
    health = spec.training.gradient_health
    return health.final_clip_value if health.enabled else spec.training.gradient_clipping


def _batch(batch: Triple) -> dict[str, Json]:
    return {
        "train_batch_size": batch.global_batch_size,
        "train_micro_batch_size_per_gpu": batch.micro_batch_size,
        "gradient_accumulation_steps": batch.gradient_accumulation_steps,
        "managed_gradient_accumulation": True,
        "dataloader_drop_last": True,
    }


def _exchange(spec: Spec) -> dict[str, Json]:
    """How gradients travel. The sequence-parallel type is DeepSpeed's, unused at sequence_parallel = 1."""
    return {
        "communication_data_type": communication_data_type_of(spec),
        "seq_parallel_communication_data_type": "fp32",
        "prescale_gradients": spec.deepspeed.prescale_gradients,
        "gradient_predivide_factor": spec.deepspeed.gradient_predivide_factor,
        "gradient_allreduce_op": "mean",
        "disable_allgather": False,
        "use_data_before_expert_parallelism": False,
    }


def _precision(spec: Spec) -> dict[str, Json]:
    """One number format for weights, gradients and their accumulation; fp32 master weights are ZeRO's own."""
    precision, fp16 = spec.training.precision, spec.deepspeed.fp16
    return {
        "fp16": {
            "enabled": precision == "fp16",
            "auto_cast": False,
            "loss_scale": fp16.loss_scale,
            "initial_scale_power": fp16.initial_scale_power,
            "loss_scale_window": fp16.loss_scale_window,
            "hysteresis": fp16.hysteresis,
            "consecutive_hysteresis": False,
            "min_loss_scale": int(fp16.min_loss_scale),
            "fp16_master_weights_and_grads": False,
        },
        "bf16": {
            "enabled": precision == "bf16",
            "immediate_grad_update": False,
            "check_grad_overflow": True,
            "bf16_master_weights_and_grads": False,
            "bf16_optimizer_states": False,
        },
        "data_types": {
            "grad_accum_dtype": precision,
            "param_dtype": precision,
            "buffer_dtype": None,
            "keep_in_fp32_modules": [],
        },
    }


def _reports(spec: Spec) -> dict[str, Json]:
    """What DeepSpeed prints: little, the runtime has its own metrics. Its throughput timer would stall the device.

    Its level is one below the runtime's: at ``debug`` ZeRO-3 prints every weight that it fetches in every step.
    """
    level = spec.tracking.log_level
    return {
        "steps_per_print": None,
        "log_level": {"debug": "info", "info": "warning"}.get(level, level),
        "dump_state": False,
        "disable_python_gc": False,
        "wall_clock_breakdown": spec.deepspeed.wall_clock_breakdown,
        "memory_breakdown": False,
        "timers": {"throughput": {"enabled": False, "synchronized": False}},
    }


def _activation_checkpointing() -> dict[str, Json]:
    """DeepSpeed's own recomputation, unused: the runtime's model recomputes through torch."""
    return {
        "partition_activations": False,
        "number_checkpoints": None,
        "contiguous_memory_optimization": False,
        "cpu_checkpointing": False,
        "profile": False,
        "synchronize_checkpoint_boundary": False,
    }


def _checkpoint() -> dict[str, Json]:
    """The runtime names, hashes and commits checkpoints; ranks that disagree on a name must fail."""
    return {
        "tag_validation": "Fail",
        "load_universal": False,
        "use_node_local_storage": False,
        "parallel_write": {"pipeline_stage": False},
        "checkpoint_serialization": True,
        "writer": None,
    }
