"""Where the keys of an Ava tree go, beside those that only have another name here (``schema/renamed.py``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cfgc.importing import conversions as as_
from cfgc.importing import schedules
from cfgc.importing.tree_keys import To

AVA: Mapping[str, Sequence[To]] = MappingProxyType(
    {
        # The engine's own numbers go before the trainer's.
        "deepspeed.micro_batch_size": (To("training.micro_batch_size"),),
        "deepspeed.train_micro_batch_size_per_gpu": (To("training.micro_batch_size"),),
        "deepspeed.gradient_accumulation_steps": (To("training.gradient_accumulation_steps"),),
        "deepspeed.train_batch_size": (To("training.global_batch_size"),),
        "deepspeed.precision": (To("training.precision", as_.precision),),
        "deepspeed.optimizer.type": (To("training.optimizer.type", as_.optimizer),),
        "deepspeed.optimizer.params.lr": (To("training.learning_rate"),),
        "deepspeed.optimizer.params.betas": (To("training.optimizer.betas"),),
        "deepspeed.cpu_offload": (
            To("deepspeed.offload.optimizer", as_.offload_to_host),
            To("deepspeed.offload.parameters", as_.offload_parameters),
        ),
        "training.batch_size": (To("training.micro_batch_size"),),
        "training.max_steps": (To("training.max_steps", as_.steps),),
        "training.num_epochs": (To("training.max_epochs", as_.steps),),
        "training.mixed_precision": (To("training.precision", as_.precision),),
        "training.beta1": (To("training.optimizer.betas", as_.first_beta),),
        "training.lr_scheduler_type": (To("training.scheduler.type", schedules.scheduler),),
        "training.eval_strategy": (To("evaluation.every_steps", as_.strategy),),
        "training.save_strategy": (To("checkpoint.every_steps", as_.strategy),),
        "data.data_dir": (To("data.sources", as_.sources),),
        "data.max_train_examples": (To("data.max_train_samples", as_.all_or_some),),
        "data.max_eval_examples": (To("data.max_eval_samples", as_.all_or_some),),
        "data.max_samples": (To("data.max_train_samples", as_.all_or_some),),
        "model.use_flash_attention": (To("model.attention", as_.flash),),
    }
)

IGNORED: Mapping[str, str] = MappingProxyType(
    {
        "training.warmup_schedule": "warm-up is linear from 0; only its length is chosen",
        "training.beta2": "it is the second of `training.optimizer.betas`",
        "deepspeed.enabled": "DeepSpeed always runs the training",
    }
)
"""Keys that say what is so anyhow."""
