"""Mistakes that people make in a ds_config, one at a time, with what DeepSpeed 0.19.8 does about each."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Literal

from cfgc.deepspeed.case import path_of

GOOD: dict[str, Any] = {
    "train_batch_size": 16,
    "train_micro_batch_size_per_gpu": 4,
    "gradient_accumulation_steps": 4,
    "gradient_clipping": 1.0,
    "steps_per_print": 10,
    "wall_clock_breakdown": False,
    "optimizer": {
        "type": "AdamW",
        "params": {"torch_adam": True, "lr": 0.001, "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1},
    },
    "scheduler": {
        "type": "WarmupDecayLR",
        "params": {
            "total_num_steps": 100,
            "warmup_num_steps": 10,
            "warmup_min_lr": 0.0,
            "warmup_max_lr": 0.001,
            "warmup_type": "linear",
        },
    },
    "bf16": {"enabled": True},
    "zero_optimization": {
        "stage": 2,
        "overlap_comm": False,
        "reduce_bucket_size": 1000000,
        "contiguous_gradients": True,
    },
    "activation_checkpointing": {"partition_activations": False, "cpu_checkpointing": False},
    "tensorboard": {"enabled": False, "output_path": "events"},
}
"""A config without a mistake; torch's own Adam, so that nothing is compiled."""

Fate = Literal["refused", "stops", "trains"]
"""``refused`` when the file is read, ``stops`` when the engine starts or in its first steps, ``trains`` regardless."""


@dataclass(frozen=True)
class Mistake:
    """``at`` is the key that cfgc has to point at; ``fate`` is what DeepSpeed does on one rank of a CPU.

    ``put`` and ``drop`` change the good config, by dotted key. ``stage`` is another ZeRO stage to begin with.
    """

    at: str
    fate: Fate
    put: dict[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def config(self) -> dict[str, Any]:
        """The config with the mistake."""
        tree = copy.deepcopy(GOOD)
        for dotted in self.drop:
            *tables, name = path_of(dotted)
            del _table(tree, tables)[name]
        for dotted, value in self.put.items():
            *tables, name = path_of(dotted)
            _table(tree, tables)[name] = value
        return tree


def _table(tree: dict[str, Any], tables: list[str]) -> dict[str, Any]:
    for table in tables:
        tree = tree.setdefault(table, {})
    return tree


def _renamed(dotted: str, new: str, fate: Fate) -> Mistake:
    value: Any = GOOD
    for part in path_of(dotted):
        value = value[part]
    return Mistake(new, fate, {new: value}, (dotted,))


ZERO, OPTIMIZER, PARAMS, SCHEDULE = "zero_optimization", "optimizer", "optimizer.params", "scheduler.params"

MISTAKES: dict[str, Mistake] = {
    "accumulation misspelt": _renamed("gradient_accumulation_steps", "gradient_acumulation_steps", "trains"),
    "zero with an s": _renamed(ZERO, "zero_optimisation", "trains"),
    "clipping misspelt": _renamed("gradient_clipping", "gradient_clip", "trains"),
    "bf16 misspelt": _renamed("bf16", "bp16", "trains"),
    "scheduler in the plural": _renamed("scheduler", "schedulers", "trains"),
    "lr_scheduler": _renamed("scheduler", "lr_scheduler", "trains"),
    "micro batch of an older name": Mistake("train_micro_batch_size", "trains", {"train_micro_batch_size": 4}),
    "max_grad_norm at the top": Mistake("max_grad_norm", "trains", {"max_grad_norm": 1.0}),
    "stage at the top": Mistake("stage", "trains", {"stage": 3}),
    "bucket at the top": Mistake("reduce_bucket_size", "trains", {"reduce_bucket_size": 1000}),
    "offload at the top": Mistake("offload_optimizer", "trains", {"offload_optimizer": {"device": "cpu"}}),
    "stage misspelt": _renamed(f"{ZERO}.stage", f"{ZERO}.stge", "refused"),
    "stage of 4": Mistake(f"{ZERO}.stage", "refused", {f"{ZERO}.stage": 4}),
    "stage in words": Mistake(f"{ZERO}.stage", "refused", {f"{ZERO}.stage": "two"}),
    "parameters offloaded at stage 2": Mistake(
        f"{ZERO}.offload_param.device", "trains", {f"{ZERO}.offload_param": {"device": "cpu"}}
    ),
    "offloaded to a GPU": Mistake(
        f"{ZERO}.offload_optimizer.device", "refused", {f"{ZERO}.offload_optimizer": {"device": "gpu"}}
    ),
    "fp16 and bf16": Mistake("fp16.enabled", "refused", {"fp16": {"enabled": True}}),
    "optimizer misspelt": Mistake(f"{OPTIMIZER}.type", "stops", {f"{OPTIMIZER}.type": "AdmW"}),
    "optimizer of torch in small letters": Mistake(f"{OPTIMIZER}.type", "stops", {f"{OPTIMIZER}.type": "sgd"}),
    "optimizer of transformers": Mistake(f"{OPTIMIZER}.type", "stops", {f"{OPTIMIZER}.type": "adamw_torch"}),
    "optimizer that was removed": Mistake(f"{OPTIMIZER}.type", "stops", {f"{OPTIMIZER}.type": "OneBitAdam"}),
    "optimizer without a type": Mistake(OPTIMIZER, "stops", drop=(f"{OPTIMIZER}.type",)),
    "learning_rate": _renamed(f"{PARAMS}.lr", f"{PARAMS}.learning_rate", "stops"),
    "lr outside params": _renamed(f"{PARAMS}.lr", f"{OPTIMIZER}.lr", "trains"),
    "eps outside params": _renamed(f"{PARAMS}.eps", f"{OPTIMIZER}.eps", "trains"),
    "betas by their names": Mistake(f"{PARAMS}.beta1", "stops", {f"{PARAMS}.beta1": 0.9}),
    "decay misspelt": _renamed(f"{PARAMS}.weight_decay", f"{PARAMS}.weight_deacy", "stops"),
    "norm of the optimizer": Mistake(f"{PARAMS}.max_grad_norm", "stops", {f"{PARAMS}.max_grad_norm": 1.0}),
    "rate in quotes": Mistake(f"{PARAMS}.lr", "stops", {f"{PARAMS}.lr": "1e-3"}),
    "rate below 0": Mistake(f"{PARAMS}.lr", "stops", {f"{PARAMS}.lr": -0.001}),
    "one beta": Mistake(f"{PARAMS}.betas", "stops", {f"{PARAMS}.betas": [0.9]}),
    "beta of 1": Mistake(f"{PARAMS}.betas", "stops", {f"{PARAMS}.betas": [0.9, 1.0]}),
    "parameter of FusedAdam": Mistake(f"{PARAMS}.bias_correction", "stops", {f"{PARAMS}.bias_correction": True}),
    "SGD with ZeRO": Mistake(f"{OPTIMIZER}.type", "stops", {OPTIMIZER: {"type": "SGD", "params": {"lr": 0.1}}}),
    "scheduler that does not exist": Mistake("scheduler.type", "stops", {"scheduler.type": "CosineLR"}),
    "scheduler in small letters": Mistake("scheduler.type", "stops", {"scheduler.type": "warmupdecaylr"}),
    "scheduler that waits for a loss": Mistake(
        "scheduler.type", "stops", {"scheduler": {"type": "ReduceLROnPlateau", "params": {"patience": 2}}}
    ),
    "scheduler of torch with ZeRO": Mistake(
        "scheduler.type", "stops", {"scheduler": {"type": "CosineAnnealingLR", "params": {"T_max": 1000}}}
    ),
    "optimizer that needs a closure": Mistake(
        f"{OPTIMIZER}.type",
        "stops",
        {OPTIMIZER: {"type": "LBFGS", "params": {"lr": 0.1}}, "zero_allow_untested_optimizer": True},
    ),
    "peak in quotes": Mistake(f"{SCHEDULE}.warmup_max_lr", "stops", {f"{SCHEDULE}.warmup_max_lr": "0.001"}),
    "scheduler without a type": Mistake("scheduler", "trains", drop=("scheduler.type",)),
    "scheduler without params": Mistake("scheduler.type", "stops", drop=(SCHEDULE,)),
    "no total_num_steps": Mistake(SCHEDULE, "stops", drop=(f"{SCHEDULE}.total_num_steps",)),
    "warmup_steps": _renamed(f"{SCHEDULE}.warmup_num_steps", f"{SCHEDULE}.warmup_steps", "stops"),
    "rates of a cosine": Mistake(
        f"{SCHEDULE}.warmup_max_lr", "stops", {"scheduler.type": "WarmupCosineLR"}, (f"{SCHEDULE}.warmup_min_lr",)
    ),
    "no warm-up": Mistake(f"{SCHEDULE}.warmup_num_steps", "stops", {f"{SCHEDULE}.warmup_num_steps": 0}),
    "warm-up of 1e1 steps": Mistake(f"{SCHEDULE}.warmup_num_steps", "stops", {f"{SCHEDULE}.warmup_num_steps": 10.0}),
    "warm-up as a part": Mistake(f"{SCHEDULE}.warmup_num_steps", "stops", {f"{SCHEDULE}.warmup_num_steps": 0.1}),
    "warm-up longer than the run": Mistake(
        f"{SCHEDULE}.warmup_num_steps", "trains", {f"{SCHEDULE}.warmup_num_steps": 1000}
    ),
    "peak below the start": Mistake(f"{SCHEDULE}.warmup_min_lr", "trains", {f"{SCHEDULE}.warmup_min_lr": 0.01}),
    "warm-up in a curve": Mistake(f"{SCHEDULE}.warmup_type", "trains", {f"{SCHEDULE}.warmup_type": "cosine"}),
    "clipping in quotes": Mistake("gradient_clipping", "stops", {"gradient_clipping": "1.0"}),
    "clipping below 0": Mistake("gradient_clipping", "trains", {"gradient_clipping": -1.0}),
    "batch in quotes": Mistake("train_batch_size", "refused", {"train_batch_size": "16"}),
    "batch of 0": Mistake("train_micro_batch_size_per_gpu", "refused", {"train_micro_batch_size_per_gpu": 0}),
    "batches that do not multiply": Mistake("train_batch_size", "refused", {"train_batch_size": 15}),
    "batch that does not divide": Mistake(
        "train_batch_size", "refused", {"train_batch_size": 15}, ("gradient_accumulation_steps",)
    ),
    "prints every epoch": Mistake("steps_per_print", "stops", {"steps_per_print": "epoch"}),
    "prints every 0 steps": Mistake("steps_per_print", "stops", {"steps_per_print": 0}),
    "true in quotes": Mistake("wall_clock_breakdown", "refused", {"wall_clock_breakdown": "false"}),
    "level of the log": Mistake("log_level", "stops", {"log_level": "verbose"}),
    "validation of tags": Mistake("checkpoint.tag_validation", "refused", {"checkpoint": {"tag_validation": "Error"}}),
    "communication in int8": Mistake("communication_data_type", "refused", {"communication_data_type": "int8"}),
    "sum with stage 3": Mistake(
        "gradient_allreduce_op", "refused", {"gradient_allreduce_op": "sum", f"{ZERO}.stage": 3}
    ),
    "contiguous activations": Mistake(
        "activation_checkpointing.contiguous_memory_optimization",
        "trains",
        {"activation_checkpointing.contiguous_memory_optimization": True},
    ),
    "tensorboard of another tool": Mistake("tensorboard.log_dir", "refused", {"tensorboard.log_dir": "events"}),
    "DataStates switched off": Mistake("datastates_ckpt.enabled", "stops", {"datastates_ckpt": {"enabled": False}}),
    "pipeline at stage 2": Mistake(f"{ZERO}.stage", "trains", {"pipeline": {"activation_checkpoint_interval": 1}}),
    "tensor parallelism of inference": Mistake(
        "tensor_parallel.tp.tp_size", "trains", {"tensor_parallel": {"tp": {"tp_size": 2}}}
    ),
    "Apex AMP": Mistake("amp", "refused", {"amp": {"enabled": True}}),
    "compile as torch has it": Mistake("compile.backend", "refused", {"compile": {"backend": "inductor"}}),
}
"""By what somebody did."""
