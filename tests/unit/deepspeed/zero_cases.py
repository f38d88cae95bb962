"""ds_configs on ZeRO, offloading, number formats and features, and what DeepSpeed 0.19.8 does with each on a CPU.

``tests/deepspeed/test_rules_agree.py`` has DeepSpeed itself say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]

When = Literal["parse", "build", "step", "never"]


@dataclass(frozen=True)
class Refusal:
    """``code``: of our error. ``when``: DeepSpeed stops, or never, since it ignores what was meant."""

    code: str
    when: When
    config: Json


ADAM = {"type": "AdamW", "params": {"lr": 1e-3, "torch_adam": True}}
OWN_ADAM = {"type": "AdamW", "params": {"lr": 1e-3}}
BASE: Json = {"train_micro_batch_size_per_gpu": 2, "gradient_clipping": 1.0, "optimizer": ADAM}

BF16 = {"bf16": {"enabled": True, "check_grad_overflow": True}}
CPU = {"device": "cpu", "pin_memory": False}
FP32_SUMS = {"data_types": {"grad_accum_dtype": "fp32"}}
STEPPED = {"select_strategy": "step", "select_interval": 4, "update_interval": 2}


def whole(config: Json) -> Json:
    """The config with what every config needs."""
    return {**BASE, **config}


def zero(stage: int, **keys: Any) -> Json:
    """A section for the stage."""
    return {"zero_optimization": {"stage": stage, **keys}}


def compiled(*passes: str) -> Json:
    """DeepCompile with these passes."""
    return {"compile": {"deepcompile": True, "passes": list(passes)}}


REFUSED: dict[str, Refusal] = {
    "parameters offloaded at stage 2": Refusal("CFG502", "never", zero(2, offload_param=CPU)),
    "parameters offloaded at stage 1, by the old switch": Refusal("CFG502", "never", zero(1, cpu_offload_param=True)),
    "optimizer offloaded without ZeRO": Refusal("CFG503", "never", zero(0, offload_optimizer=CPU)),
    "a part offloaded at stage 2": Refusal("CFG504", "parse", zero(2, offload_optimizer={**CPU, "ratio": 0.5})),
    "a part of nothing at stage 2": Refusal("CFG504", "parse", zero(2, offload_optimizer={"ratio": 0.5})),
    "a part with torch's Adam": Refusal("CFG504", "build", zero(3, offload_optimizer={**CPU, "ratio": 0.5})),
    "prescaled at stage 2": Refusal("CFG507", "build", {"prescale_gradients": True, **zero(2)}),
    "prescaled at stage 3": Refusal("CFG507", "build", {"prescale_gradients": True, **zero(3)}),
    "predivided at stage 3": Refusal("CFG507", "build", {"gradient_predivide_factor": 2.0, **zero(3)}),
    "optimizer on NVMe without a path": Refusal("CFG560", "build", zero(3, offload_optimizer={"device": "nvme"})),
    "parameters on NVMe without a path": Refusal("CFG560", "build", zero(3, offload_param={"device": "nvme"})),
    "optimizer on NVMe at stage 2": Refusal(
        "CFG561", "never", zero(2, offload_optimizer={"device": "nvme", "nvme_path": "/d", "pin_memory": False})
    ),
    "a sum at stage 3": Refusal("CFG563", "parse", {"gradient_allreduce_op": "sum", **zero(3)}),
    "a sum in capitals": Refusal("CFG563", "parse", {"gradient_allreduce_op": "SUM", **zero(3)}),
    "a sum with ZenFlow": Refusal(
        "CFG563", "parse", {"gradient_allreduce_op": "sum", **zero(2, zenflow=STEPPED, offload_optimizer=CPU)}
    ),
    "a sum with DeepCompile": Refusal(
        "CFG563", "parse", {"gradient_allreduce_op": "sum", "compile": {"deepcompile": True}, **zero(1)}
    ),
    "no norm at stage 3": Refusal("CFG564", "parse", zero(3, compute_grad_norm=False)),
    "no norm without ZeRO": Refusal("CFG564", "parse", {"gradient_clipping": 0, **zero(0, compute_grad_norm=False)}),
    "no norm while clipping": Refusal("CFG564", "build", zero(2, compute_grad_norm=False)),
    "no norm while offloading": Refusal(
        "CFG564", "build", {"gradient_clipping": 0, **zero(2, compute_grad_norm=False, offload_optimizer=CPU)}
    ),
    "no norm with fp32 sums of bf16": Refusal(
        "CFG564", "build", {"gradient_clipping": 0, **BF16, **FP32_SUMS, **zero(1, compute_grad_norm=False)}
    ),
    "fp16 and bf16": Refusal("CFG565", "parse", {"fp16": {"enabled": True}, **BF16}),
    "fp16 and bf16 under its old name": Refusal(
        "CFG565", "parse", {"fp16": {"enabled": True}, "bfloat16": {"enabled": True, "check_grad_overflow": True}}
    ),
    "autocast to fp32": Refusal("CFG566", "never", {"torch_autocast": {"enabled": True, "dtype": "fp32"}}),
    "a module without its package": Refusal(
        "CFG566",
        "build",
        {"torch_autocast": {"enabled": True, "dtype": "bf16", "lower_precision_safe_modules": ["Linear"]}},
    ),
    "fp32 sums of bf16 without ZeRO": Refusal("CFG568", "build", {**BF16, **FP32_SUMS}),
    "bf16 sums of fp32 without ZeRO": Refusal("CFG568", "build", {"data_types": {"grad_accum_dtype": "bf16"}}),
    "another format for weights": Refusal("CFG568", "build", {**BF16, "data_types": {"param_dtype": "fp16"}}),
    "bf16 weights, not switched on": Refusal("CFG568", "build", {"data_types": {"param_dtype": "bf16"}}),
    "divided by zero": Refusal("CFG569", "step", {"gradient_predivide_factor": 0}),
    "fp16 master weights without ZeRO": Refusal(
        "CFG570", "parse", {"fp16": {"enabled": False, "fp16_master_weights_and_grads": True}}
    ),
    "bf16 states without master weights": Refusal(
        "CFG570", "parse", {"bf16": {**BF16["bf16"], "bf16_optimizer_states": True}, **zero(2)}
    ),
    "bf16 master weights on the device": Refusal(
        "CFG570", "build", {"bf16": {**BF16["bf16"], "bf16_master_weights_and_grads": True}, **zero(2)}
    ),
    "bf16 master weights with torch's Adam": Refusal(
        "CFG570",
        "build",
        {"bf16": {**BF16["bf16"], "bf16_master_weights_and_grads": True}, **zero(2, offload_optimizer=CPU)},
    ),
    "a least scale of 0": Refusal("CFG571", "parse", {"fp16": {"enabled": True, "min_loss_scale": 0}}),
    "a window of 0": Refusal("CFG571", "parse", {"fp16": {"enabled": True, "loss_scale_window": 0}}),
    "a bucket for no device": Refusal("CFG514", "step", zero(2, reduce_bucket_size=10**13)),
    "a bucket beyond integers": Refusal("CFG514", "parse", zero(3, allgather_bucket_size=1e30)),
    "an odd bucket": Refusal("CFG572", "build", zero(2, allgather_bucket_size=500_000_001)),
    "quantized gradients without reduce-scatter": Refusal(
        "CFG574", "build", zero(3, zero_quantized_gradients=True, reduce_scatter=False)
    ),
    "quantized weights under autocast": Refusal(
        "CFG574",
        "build",
        {"torch_autocast": {"enabled": True, "dtype": "bf16"}, **zero(3, zero_quantized_weights=True)},
    ),
    "ZenFlow without offloading": Refusal("CFG575", "build", {"optimizer": OWN_ADAM, **zero(2, zenflow=STEPPED)}),
    "ZenFlow with torch's Adam": Refusal("CFG575", "build", zero(2, zenflow=STEPPED, offload_optimizer=CPU)),
    "ZenFlow with an interval of auto": Refusal(
        "CFG575",
        "build",
        {"optimizer": OWN_ADAM, **zero(2, zenflow={"select_interval": 4}, offload_optimizer=CPU)},
    ),
    "ZenFlow with SGD": Refusal(
        "CFG575",
        "step",
        {
            "optimizer": {"type": "SGD", "params": {"lr": 1e-3}},
            "zero_allow_untested_optimizer": True,
            **zero(2, zenflow=STEPPED, offload_optimizer=CPU),
        },
    ),
    "SuperOffload at stage 2": Refusal("CFG576", "never", zero(2, offload_optimizer={**CPU, "super_offload": True})),
    "DeepCompile without ZeRO": Refusal("CFG577", "never", {"compile": {"deepcompile": True}}),
    "a tensor pass without ranks": Refusal("CFG577", "never", {**compiled("autotp"), **zero(1)}),
    "a sequence pass at stage 2": Refusal("CFG577", "never", {**compiled("autosp"), **zero(2)}),
    "Muon at stage 3": Refusal(
        "CFG578",
        "build",
        {"optimizer": {"type": "Muon", "params": {"lr": 1e-3, "torch_adam": True}}, **zero(3)},
    ),
    "the first stage 1": Refusal("CFG531", "build", zero(1, legacy_stage1=True)),
    "unmanaged accumulation that overlaps": Refusal(
        "CFG533", "build", {"managed_gradient_accumulation": False, **zero(1, overlap_comm=True)}
    ),
    "unmanaged accumulation with DeepCompile": Refusal(
        "CFG533", "build", {"managed_gradient_accumulation": False, "compile": {"deepcompile": True}, **zero(1)}
    ),
}

ACCEPTED: dict[str, tuple[Json, set[str]]] = {
    "nothing": ({}, set()),
    "stage 1": (zero(1), set()),
    "stage 2": (zero(2, overlap_comm=True, contiguous_gradients=True, reduce_bucket_size=50_000), set()),
    "stage 3": (zero(3, stage3_prefetch_bucket_size=1000, sub_group_size=0, max_live_parameters=0), set()),
    "offloaded": (zero(2, offload_optimizer=CPU), set()),
    "all offloaded": (zero(3, offload_optimizer=CPU, offload_param=CPU), set()),
    "offloaded by the old switch": (zero(2, cpu_offload=True, contiguous_gradients=False), {"CFG555", "CFG510"}),
    "bf16": ({**BF16, **zero(2)}, set()),
    "fp32 sums of bf16 at stage 1": ({**BF16, **FP32_SUMS, **zero(1)}, set()),
    "bf16 sums of fp32 at stage 2": ({"data_types": {"grad_accum_dtype": "bf16"}, **zero(2)}, set()),
    "autocast": ({"torch_autocast": {"enabled": True, "dtype": "bfloat16"}, **zero(2)}, set()),
    "autocast over bf16": ({"torch_autocast": {"enabled": True, "dtype": "bfloat16"}, **BF16}, {"CFG567"}),
    "prescaled without ZeRO": ({"prescale_gradients": True}, set()),
    "prescaled at stage 1": ({"prescale_gradients": True, **zero(1)}, {"CFG512"}),
    "prescaled with a factor": ({"prescale_gradients": True, "gradient_predivide_factor": 2.0}, {"CFG512"}),
    "prescaled without reduce-scatter": ({"prescale_gradients": True, **zero(2, reduce_scatter=False)}, set()),
    "prescaled and summed": ({"prescale_gradients": True, "gradient_allreduce_op": "sum", **zero(2)}, set()),
    "no norm": ({"gradient_clipping": 0, **zero(2, compute_grad_norm=False)}, set()),
    "an odd bucket at stage 3": (zero(3, allgather_bucket_size=500_000_001), {"CFG501"}),
    "an odd bucket with fp32 sums of bf16": (
        {**BF16, **FP32_SUMS, **zero(1, allgather_bucket_size=500_000_001)},
        set(),
    ),
    "keys of other stages": (zero(2, sub_group_size=1000, allgather_partitions=True), {"CFG501"}),
    "a limit above any model": (zero(3, stage3_max_live_parameters=10**15, sub_group_size=10**12), {"CFG514"}),
    "a scale power below 0 that is off": ({"fp16": {"enabled": False, "initial_scale_power": -1}}, {"CFG571"}),
    "a least scale of 0 that is off": ({"fp16": {"enabled": False, "min_loss_scale": 0}}, set()),
    "keys without ZeRO": (zero(0, overlap_comm=False), {"CFG501"}),
    "quantized gradients at stage 2": (zero(2, zero_quantized_gradients=True), {"CFG501"}),
    "one group of hpZ": (zero(3, zero_hpz_partition_size=8), set()),
    "bf16 master weights and states": (
        {
            "bf16": {**BF16["bf16"], "bf16_master_weights_and_grads": True, "bf16_optimizer_states": True},
            **zero(2),
        },
        set(),
    ),
    "Muon at stage 3 without reduce-scatter": (
        {
            "optimizer": {"type": "Muon", "params": {"lr": 1e-3, "torch_adam": True}},
            "zero_allow_untested_optimizer": True,
            **zero(3, reduce_scatter=False),
        },
        set(),
    ),
    "unmanaged accumulation": ({"managed_gradient_accumulation": False, **zero(2, overlap_comm=False)}, set()),
    "the first stage 1 without ZeRO": (zero(0, legacy_stage1=True), set()),
    "keys of NVMe on the CPU": (zero(3, offload_param={**CPU, "buffer_count": 4}), {"CFG562"}),
    "a pass of stage 3 at stage 1": ({**compiled("z1", "z3"), **zero(1)}, {"CFG577"}),
    "a pass of stage 3": ({**compiled("z3"), **zero(3)}, set()),
    "a sequence pass": (compiled("autosp"), set()),
    "aio for nothing": ({"aio": {"block_size": 1048576}, **zero(1)}, {"CFG530"}),
}
"""What trains on a CPU, with the codes of our warnings."""
