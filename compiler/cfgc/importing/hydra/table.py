"""Where the keys of a NeMo or Lightning tree go; of several that say the same, the first in the table wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cfgc.importing import conversions as as_
from cfgc.importing import schedules
from cfgc.importing.hydra.guesses import OPTIMIZERS
from cfgc.importing.tree_keys import Convert, To


def _first(key: str, *olds: str, convert: Convert | None = None) -> dict[str, Sequence[To]]:
    return {old: (To(key, convert),) for old in olds}


_ALGORITHMS = ("sft", "rm", "dpo", "kto", "ppo", "steerlm")
"""NeMo Aligner's own tables below ``trainer``, which go before Lightning's keys."""


_NAMED = ("experiment", "experiment_name", "exp_name", "run_name")


def _trainer(key: str, *olds: str, convert: Convert | None = None) -> dict[str, Sequence[To]]:
    inner = [f"trainer.{algorithm}.{old}" for algorithm in _ALGORITHMS for old in olds]
    return _first(key, *inner, *(f"trainer.{old}" for old in olds), convert=convert)


def _optimizer(key: str, *olds: str, convert: Convert | None = None) -> dict[str, Sequence[To]]:
    """The table of the optimizer, wherever it stands."""
    tables = [f"{place}{table}" for place in ("model.", "", "trainer.", "training.") for table in OPTIMIZERS]
    return _first(key, *(f"{table}.{old}" for table in tables for old in olds), convert=convert)


_WANDB_KEY = To("env.required", as_.wandb_key)


def _tracker(tracker: str, *needed: To, **settings: str) -> dict[str, Sequence[To]]:
    """The switch of a tracker, and what NeMo calls its settings; these turn a spec's tracker on by themselves."""
    switch, arguments = f"exp_manager.create_{tracker}_logger", f"exp_manager.{tracker}_logger_kwargs"
    where_on = as_.where(switch)
    found = {f"{arguments}.{old}": (To(f"tracking.{tracker}.{key}", where_on),) for key, old in settings.items()}
    return {switch: (To(f"tracking.{tracker}.enabled", as_.switch), *needed), **found}


HYDRA: Mapping[str, Sequence[To]] = MappingProxyType(
    {
        **_first("experiment.name", "exp_manager.name", "name", "experiment.name", *_NAMED, convert=as_.name),
        **_first("experiment.seed", "seed", "seed_everything", "trainer.seed", "model.seed"),
        # steps and batch
        **_trainer("training.max_steps", "max_steps", convert=as_.steps),
        **_trainer("training.max_epochs", "max_epochs", convert=as_.steps),
        **_trainer("training.gradient_clipping", "gradient_clip_val"),
        **_trainer("evaluation.every_steps", "val_check_interval", convert=as_.interval),
        **_trainer("evaluation.max_batches", "limit_val_batches", convert=as_.batches),
        **_trainer("checkpoint.every_steps", "save_interval", convert=as_.steps),
        **_first("training.global_batch_size", "model.global_batch_size", "model.data.train_ds.global_batch_size"),
        **_first("training.micro_batch_size", "model.micro_batch_size", "model.data.train_ds.micro_batch_size"),
        **_first("training.gradient_accumulation_steps", "trainer.accumulate_grad_batches"),
        **_first("training.precision", "trainer.precision", "model.precision", convert=as_.precision),
        # ranks
        **_first("launch.gpus_per_node", "trainer.devices", "trainer.gpus", convert=as_.devices),
        **_first("launch.nodes", "trainer.num_nodes"),
        **_first("launch.time_limit", "trainer.max_time", convert=as_.wall_time),
        **_first("overlays.hardware", "trainer.accelerator", convert=as_.accelerator),
        **_first("parallel.tensor_parallel", "model.tensor_model_parallel_size"),
        **_first("parallel.pipeline_parallel", "model.pipeline_model_parallel_size"),
        **_first("parallel.sequence_parallel", "model.context_parallel_size"),
        **_first("parallel.expert_parallel", "model.expert_model_parallel_size"),
        # model
        **_first("model.max_sequence_length", "model.max_position_embeddings", "model.encoder_seq_length"),
        **_first("model.num_kv_heads", "model.num_query_groups"),
        **_first("model.initializer_range", "model.init_method_std"),
        **_first("model.norm_eps", "model.layernorm_epsilon"),
        **_first("model.rope_theta", "model.rotary_base"),
        **_first("model.tie_embeddings", "model.share_embeddings_and_output_weights"),
        **_first("model.activation", "model.activation", convert=as_.activation),
        **_first("model.activation_checkpointing", "model.activations_checkpoint_granularity", convert=as_.recomputing),
        **_first("model.attention", "model.use_flash_attention", convert=as_.flash),
        # optimizer
        **_optimizer("training.optimizer.type", "name", convert=as_.optimizer),
        **_optimizer("training.learning_rate", "lr", "learning_rate"),
        **_optimizer("training.optimizer.betas", "betas"),
        **_optimizer("training.optimizer.eps", "eps"),
        **_optimizer("training.optimizer.weight_decay", "weight_decay"),
        **_first("training.scheduler.type", "model.optim.sched.name", "optim.sched.name", convert=schedules.scheduler),
        **_first("training.warmup_steps", "model.optim.sched.warmup_steps", "optim.sched.warmup_steps"),
        **_first("training.warmup_steps", "model.optim.sched.warmup_ratio", convert=schedules.warmup_share),
        **_first("training.scheduler.power", "model.optim.sched.power", "optim.sched.power", convert=schedules.power),
        **_first("training.scheduler.final_learning_rate", "model.optim.sched.min_lr", "optim.sched.min_lr"),
        # data
        **_first(
            "data.sources",
            *("model.data.train_ds.file_path", "model.data.train_ds.file_names", "model.data.data_path"),
            *("model.data.data_prefix", "data.data_path"),
            convert=as_.sources,
        ),
        **_first("data.sequence_length", "model.data.train_ds.max_seq_length", "model.data.seq_length"),
        **_first("data.shuffle", "model.data.train_ds.shuffle"),
        **_first("data.drop_last", "model.data.train_ds.drop_last"),
        **_first("evaluation.micro_batch_size", "model.data.validation_ds.micro_batch_size"),
        # what is written
        **_first("tracking.log_every_steps", "trainer.log_every_n_steps"),
        **_first("tracking.tensorboard", "exp_manager.create_tensorboard_logger", convert=as_.switch),
        **_tracker("wandb", _WANDB_KEY, project="project", entity="entity", group="group", name="name"),
        **_tracker("mlflow", experiment="experiment_name", uri="tracking_uri", name="run_name"),
        **_first("checkpoint.every_steps", "exp_manager.checkpoint_callback_params.every_n_train_steps"),
        **_first("checkpoint.keep_last", "exp_manager.checkpoint_callback_params.save_top_k", convert=as_.kept),
        **_first("launch.run_dir", "exp_manager.explicit_log_dir", "exp_manager.exp_dir"),
    }
)

_WATCHED = "the runtime writes metrics.jsonl and its own checkpoints"

IGNORED: Mapping[str, str] = MappingProxyType(
    {
        "exp_manager.create_checkpoint_callback": _WATCHED,
        "exp_manager.resume_if_exists": "a run always resumes from its newest complete checkpoint",
        "exp_manager.resume_ignore_no_checkpoint": "a run without a checkpoint starts from the beginning",
        "exp_manager.checkpoint_callback_params.monitor": _WATCHED,
        "exp_manager.checkpoint_callback_params.mode": _WATCHED,
        "exp_manager.checkpoint_callback_params.filename": _WATCHED,
        "exp_manager.checkpoint_callback_params.model_parallel_size": _WATCHED,
        "trainer.logger": _WATCHED,
        "trainer.enable_checkpointing": _WATCHED,
        "trainer.use_distributed_sampler": "every rank reads its own share of the samples",
        "trainer.strategy": "DeepSpeed always runs the training",
        "model.data.validation_ds": 'a source with `split = "eval"` is evaluated on, with the lengths of training',
    }
)
"""Keys of the tools themselves, and why a spec has none."""
