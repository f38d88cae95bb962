"""What a bundle tells the newest DeepSpeed and need not tell older ones, since they do it anyway; and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cfgc.deepspeed.config import Json

ANY = object()
"""Any value: what it is makes no difference to training."""


@dataclass(frozen=True)
class Unneeded:
    """The value that a release without the key acts on, and why."""

    value: Json
    why: str


_OFF = "the feature did not exist"
_CHECKED = "older releases have no such check to turn on"
_COUNTED = "DeepSpeed always counted the micro steps itself"
_MEAN = "gradients were always averaged"
_GATHERED = "parameters were always gathered together"
_FOLLOWS = "the type of the parameters follows from `bf16.enabled` and `fp16.enabled`"
_SAID = "only what is printed; the runtime quietens DeepSpeed itself"
_ALIKE = "checkpoints were always written like that"
_STATES = "the optimizer's state was always kept in fp32"
_FINITE = (
    "gradients of bf16 were never checked: a step without a number in it shows in the norm or the next loss, "
    "and ends the run either way"
)

UNNEEDED: Mapping[str, Unneeded] = MappingProxyType(
    {
        "managed_gradient_accumulation": Unneeded(True, _COUNTED),
        "seq_parallel_communication_data_type": Unneeded("fp32", "nothing is sequence-parallel"),
        "gradient_allreduce_op": Unneeded("mean", _MEAN),
        "disable_python_gc": Unneeded(False, _OFF),
        "log_level": Unneeded(ANY, _SAID),
        "bf16.check_grad_overflow": Unneeded(True, _FINITE),
        "bf16.bf16_master_weights_and_grads": Unneeded(False, _STATES),
        "bf16.bf16_optimizer_states": Unneeded(False, _STATES),
        "data_types.param_dtype": Unneeded(ANY, _FOLLOWS),
        "data_types.buffer_dtype": Unneeded(None, "buffers took the type of the parameters, and the model has none"),
        "data_types.keep_in_fp32_modules": Unneeded([], _OFF),
        "torch_autocast.enabled": Unneeded(False, _OFF),
        "compile.deepcompile": Unneeded(False, _OFF),
        "checkpoint.checkpoint_serialization": Unneeded(True, _ALIKE),
        "checkpoint.writer": Unneeded(None, _ALIKE),
        "zero_optimization.compute_grad_norm": Unneeded(True, "the norm was always computed"),
        "zero_optimization.parameter_alignment": Unneeded(False, _OFF),
        "zero_optimization.stage3_allgather_sequential": Unneeded(False, _GATHERED),
        "zero_optimization.leaf_module.classes": Unneeded([], _OFF),
        "zero_optimization.leaf_module.names": Unneeded([], _OFF),
        "zero_optimization.leaf_module.name_suffixes": Unneeded([], _OFF),
        "zero_optimization.offload_optimizer.super_offload": Unneeded(False, _OFF),
        "zero_optimization.offload_optimizer.cpuadam_cores_perc": Unneeded(0.8, "used by SuperOffload only"),
        "zero_optimization.zenflow": Unneeded(None, _OFF),
        "zero_optimization.log_trace_cache_warnings": Unneeded(False, _OFF),
        "zero_optimization.enable_sanity_checks": Unneeded(False, _CHECKED),
        "zero_optimization.save_muon_momentum_buffer_in_memory": Unneeded(False, _OFF),
    }
)
"""By dotted key."""

DROPPED: Mapping[str, Json] = MappingProxyType(
    {
        "zero_optimization.mics_shard_size": -1,
        "zero_optimization.mics_hierarchical_params_gather": False,
        "zero_optimization.zeropp_loco_param": None,
    }
)
"""Keys of ZeRO that newer releases dropped, off: what an older one reads is written out all the same."""
