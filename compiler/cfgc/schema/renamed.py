"""Keys that other systems use, and what they are called here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Renamed:
    """The key to use, why it is called that, and its value in TOML where the old one can't be carried over."""

    key: str
    reason: str = ""
    value: str = ""


_PER_RANK = "a batch is counted per rank and forward pass (micro) or per optimizer step over all ranks (global)"
_OWNER = "each fact has one key, and ds_config.json, the runtime and the job script are computed from it"
_SECTION = "it sits with the settings that it belongs to"
_EXPERTS = "settings of the experts have a table of their own"
_WORKERS = "the section already says that it is about data"
_OFF = "0 means all of them, where others write -1"
_ZERO = "ZeRO's settings have a table of their own; at the top level DeepSpeed ignores them silently"
_FILES = "a run can read several trees of files"
_SOURCES = '[{ name = "corpus", path = "data", include = ["*.txt"] }]'
_STEPS = "the interval alone says it; 0 turns it off"
_PREFERENCES = (
    "PPO, DPO and reward models come later; today `[task] target` starts a function of yours that trains on preferences"
)
_ADAPTERS = (
    "adapters come later; today all parameters are trained, or, of a model of yours "
    '(`model.kind = "target"`), those that require gradients'
)
LATER = frozenset({_PREFERENCES, _ADAPTERS})
"""Reasons of keys that change what is trained: an import that drops one is doubtful."""

RENAMED: Mapping[str, Renamed] = MappingProxyType(
    {
        # model
        "model.model_type": Renamed("model.kind", "the transformer is called decoder", '"decoder"'),
        "model.architecture": Renamed("model.kind", "the transformer is called decoder", '"decoder"'),
        "model.type": Renamed("model.kind", "the transformer is called decoder", '"decoder"'),
        "model.num_attention_heads": Renamed("model.num_heads"),
        "model.attention_heads": Renamed("model.num_heads"),
        "model.num_key_value_heads": Renamed("model.num_kv_heads"),
        "model.ffn_hidden_size": Renamed("model.intermediate_size"),
        "model.max_position_embeddings": Renamed("model.max_sequence_length"),
        "model.encoder_seq_length": Renamed("model.max_sequence_length"),
        "model.seq_length": Renamed("model.max_sequence_length"),
        "model.layer_norm_eps": Renamed("model.norm_eps", "the network normalises with RMSNorm"),
        "model.dropout": Renamed("model.hidden_dropout", "attention has its own, `model.attention_dropout`"),
        "model.attention_implementation": Renamed("model.attention"),
        "model.use_flash_attention": Renamed(
            "model.attention",
            "it names the implementation; sdpa uses a flash kernel where there is one",
            '"sdpa"',
        ),
        "model.gradient_checkpointing": Renamed("model.activation_checkpointing"),
        "model.num_experts": Renamed("model.moe.num_experts", _EXPERTS),
        "model.num_experts_per_token": Renamed("model.moe.num_experts_per_token", _EXPERTS),
        "model.expert_capacity_factor": Renamed("model.moe.expert_capacity_factor", _EXPERTS),
        "model.router_type": Renamed("model.moe.router_type", _EXPERTS),
        "model.router_aux_loss_coef": Renamed("model.moe.router_aux_loss_coef", _EXPERTS),
        "model.tensor_model_parallel_size": Renamed("parallel.tensor_parallel", _SECTION),
        "model.pipeline_model_parallel_size": Renamed("parallel.pipeline_parallel", _SECTION),
        "model.micro_batch_size": Renamed("training.micro_batch_size", _SECTION),
        "model.global_batch_size": Renamed("training.global_batch_size", _SECTION),
        "model.data.data_path": Renamed("data.sources", _FILES, _SOURCES),
        "model.data.seq_length": Renamed("data.sequence_length", _SECTION),
        "model.data.num_workers": Renamed("data.num_workers", _SECTION),
        "model.optim.name": Renamed("training.optimizer.type", _SECTION),
        "model.optim.lr": Renamed("training.learning_rate", _SECTION),
        "model.optim.weight_decay": Renamed("training.optimizer.weight_decay", _SECTION),
        "model.optim.sched.name": Renamed("training.scheduler.type", _SECTION),
        "model.optim.sched.warmup_steps": Renamed("training.warmup_steps", _SECTION),
        # training
        "training.batch_size": Renamed("training.micro_batch_size", _PER_RANK),
        "training.lr": Renamed("training.learning_rate"),
        "training.weight_decay": Renamed("training.optimizer.weight_decay", _SECTION),
        "training.beta1": Renamed("training.optimizer.betas", "both betas are one pair", "[0.9, 0.95]"),
        "training.beta2": Renamed("training.optimizer.betas", "both betas are one pair", "[0.9, 0.95]"),
        "training.eps": Renamed("training.optimizer.eps", _SECTION),
        "training.max_gradient_norm": Renamed("training.gradient_clipping"),
        "training.gradient_clip_val": Renamed("training.gradient_clipping"),
        "training.num_epochs": Renamed("training.max_epochs"),
        "training.epochs": Renamed("training.max_epochs"),
        "training.lr_scheduler_type": Renamed("training.scheduler.type", _SECTION),
        "training.lr_end": Renamed("training.scheduler.final_learning_rate", _SECTION),
        "training.repetition_penalty_weight": Renamed("training.penalties.repetition", _SECTION),
        "training.immediate_repetition_weight": Renamed("training.penalties.immediate_repetition", _SECTION),
        "training.min_sequence_length": Renamed("training.penalties.min_sequence_length", _SECTION),
        "training.eos_penalty_weight": Renamed("training.penalties.eos", _SECTION),
        "training.mixed_precision": Renamed("training.precision"),
        "training.use_mixed_precision": Renamed(
            "training.precision", "it names the number format; fp32 is no mixed precision", '"bf16"'
        ),
        "training.gradient_checkpointing": Renamed("model.activation_checkpointing", _SECTION),
        "training.dataloader_num_workers": Renamed("data.num_workers", _SECTION),
        "training.eval_strategy": Renamed("evaluation.every_steps", _STEPS, "500"),
        "training.eval_steps": Renamed("evaluation.every_steps", _SECTION),
        "training.save_strategy": Renamed("checkpoint.every_steps", _STEPS, "1000"),
        "training.save_steps": Renamed("checkpoint.every_steps", _SECTION),
        "training.logging_steps": Renamed("tracking.log_every_steps", _SECTION),
        "training.early_stopping_patience": Renamed("training.early_stopping.patience", _SECTION),
        "training.early_stopping_threshold": Renamed("training.early_stopping.threshold", _SECTION),
        # data
        "data.data_dir": Renamed("data.sources", _FILES, _SOURCES),
        "data.data_path": Renamed("data.sources", _FILES, _SOURCES),
        "data.tokenizer_name": Renamed("data.tokenizer.path", _SECTION),
        "data.max_length": Renamed("data.sequence_length"),
        "data.seq_length": Renamed("data.sequence_length"),
        "data.max_train_examples": Renamed("data.max_train_samples", _OFF),
        "data.max_eval_examples": Renamed("data.max_eval_samples", _OFF),
        "data.batch_size": Renamed("training.micro_batch_size", _PER_RANK),
        "data.train_batch_size": Renamed("training.micro_batch_size", _PER_RANK),
        "data.eval_batch_size": Renamed("evaluation.micro_batch_size", _SECTION),
        "data.dataloader_num_workers": Renamed("data.num_workers", _WORKERS),
        "data.dataloader_drop_last": Renamed("data.drop_last", _WORKERS),
        "data.dataloader_pin_memory": Renamed("data.pin_memory", _WORKERS),
        "data.dataloader_prefetch_factor": Renamed("data.prefetch_factor", _WORKERS),
        "data.dataloader_persistent_workers": Renamed("data.persistent_workers", _WORKERS),
        "data.use_weighted_mixing": Renamed("data.mixing.enabled", _SECTION),
        "data.mixing_temperature": Renamed("data.mixing.temperature", _SECTION),
        "data.buffer_size": Renamed("data.streaming.buffer_size", _SECTION),
        "data.streaming.max_samples": Renamed("data.max_train_samples", _OFF),
        "data.max_samples": Renamed("data.max_train_samples", _OFF),
        # deepspeed
        "deepspeed.zero_stage": Renamed("deepspeed.zero.stage", _ZERO),
        "deepspeed.cpu_offload": Renamed(
            "deepspeed.offload.optimizer", "it says what is offloaded, and where", '"cpu"'
        ),
        "deepspeed.nvme_offload": Renamed(
            "deepspeed.offload.optimizer", "it says what is offloaded, and where", '"nvme"'
        ),
        "deepspeed.precision": Renamed("training.precision", _OWNER),
        "deepspeed.fp8_enabled": Renamed("training.fp8.enabled", _OWNER),
        "deepspeed.fp8_margin": Renamed("training.fp8.margin", _OWNER),
        "deepspeed.fp8_interval": Renamed("training.fp8.interval", _OWNER),
        "deepspeed.gradient_accumulation_steps": Renamed("training.gradient_accumulation_steps", _OWNER),
        "deepspeed.train_batch_size": Renamed("training.global_batch_size", _OWNER),
        "deepspeed.micro_batch_size": Renamed("training.micro_batch_size", _OWNER),
        "deepspeed.train_micro_batch_size_per_gpu": Renamed("training.micro_batch_size", _OWNER),
        "deepspeed.gradient_clipping": Renamed("training.gradient_clipping", _OWNER),
        "deepspeed.optimizer.type": Renamed("training.optimizer.type", _OWNER, '"adamw"'),
        "deepspeed.optimizer.params.lr": Renamed("training.learning_rate", _OWNER),
        "deepspeed.optimizer.params.betas": Renamed("training.optimizer.betas", _OWNER),
        "deepspeed.optimizer.params.eps": Renamed("training.optimizer.eps", _OWNER),
        "deepspeed.optimizer.params.weight_decay": Renamed("training.optimizer.weight_decay", _OWNER),
        "deepspeed.allgather_bucket_size": Renamed("deepspeed.zero.allgather_bucket_size", _ZERO),
        "deepspeed.reduce_bucket_size": Renamed("deepspeed.zero.reduce_bucket_size", _ZERO),
        "deepspeed.stage3_prefetch_bucket_size": Renamed("deepspeed.zero.stage3_prefetch_bucket_size", _ZERO),
        "deepspeed.stage3_param_persistence_threshold": Renamed(
            "deepspeed.zero.stage3_param_persistence_threshold", _ZERO
        ),
        "deepspeed.stage3_max_live_parameters": Renamed("deepspeed.zero.stage3_max_live_parameters", _ZERO),
        "deepspeed.zero_optimization.stage": Renamed("deepspeed.zero.stage"),
        # trainer, optim, exp_manager
        "trainer.devices": Renamed("launch.gpus_per_node", "the world is nodes × ranks per node"),
        "trainer.gpus_per_node": Renamed("launch.gpus_per_node", _SECTION),
        "trainer.num_nodes": Renamed("launch.nodes", _SECTION),
        "trainer.precision": Renamed("training.precision", _OWNER, '"bf16"'),
        "trainer.max_steps": Renamed("training.max_steps", _SECTION),
        "trainer.max_epochs": Renamed("training.max_epochs", _SECTION),
        "trainer.gradient_clip_val": Renamed("training.gradient_clipping", _SECTION),
        "trainer.batch_size": Renamed("training.micro_batch_size", _PER_RANK),
        "trainer.learning_rate": Renamed("training.learning_rate", _SECTION),
        "optim.name": Renamed("training.optimizer.type", _SECTION),
        "optim.lr": Renamed("training.learning_rate", _SECTION),
        "optim.weight_decay": Renamed("training.optimizer.weight_decay", _SECTION),
        "optimizer.lr": Renamed("training.learning_rate", _SECTION),
        "optimizer.weight_decay": Renamed("training.optimizer.weight_decay", _SECTION),
        "exp_manager.checkpoint_callback_params.save_top_k": Renamed(
            "checkpoint.keep_last", "it keeps the newest; `keep_best` keeps those of the lowest held-out loss"
        ),
        "tracking.custom_metrics": Renamed(
            "evaluation.metrics",
            "a number of one's own has a name, and a function that gives it for each sample",
            '[{ name = "accuracy", target = "my_pkg.metrics:accuracy" }]',
        ),
        # whole experiments
        "seed": Renamed("experiment.seed", _SECTION),
        "log_level": Renamed("tracking.log_level", _SECTION, '"info"'),
        "checkpoint_dir": Renamed("launch.run_dir", "checkpoints, logs and metrics of a run stay together"),
        "log_dir": Renamed("launch.run_dir", "checkpoints, logs and metrics of a run stay together"),
        "metrics_dir": Renamed("launch.run_dir", "checkpoints, logs and metrics of a run stay together"),
        "model_size": Renamed("extends", "a size is a base", '"cfgc:bases/small.toml"'),
        "metadata.model_size": Renamed("extends", "a size is a base", '"cfgc:bases/small.toml"'),
        "training.model_size": Renamed("extends", "a size is a base", '"cfgc:bases/small.toml"'),
        # launching
        "executor.nodes": Renamed("launch.nodes", _SECTION),
        "executor.gpus_per_node": Renamed("launch.gpus_per_node", _SECTION),
        "executor.time_limit": Renamed("launch.time_limit", _SECTION),
        "launch.num_nodes": Renamed("launch.nodes"),
        "launch.num_gpus": Renamed("launch.gpus_per_node", "the number is per node"),
        "cluster.num_nodes": Renamed("launch.nodes", _SECTION),
        "cluster.gpus_per_node": Renamed("launch.gpus_per_node", _SECTION),
        "cluster.time_limit": Renamed("launch.time_limit", _SECTION),
        "_target_": Renamed("task.target"),
        "_partial_": Renamed("task.partial"),
        "script.path": Renamed("task.script", _SECTION),
        "script.inline": Renamed("task.inline", _SECTION),
        "script.args": Renamed("task.args", _SECTION),
        "script.env": Renamed("task.env", _SECTION),
        "script.env_vars": Renamed("task.env", _SECTION),
        "script.cwd": Renamed("task.working_directory", _SECTION),
        "package.mode": Renamed("package.kind"),
        "package.repo_url": Renamed("package.repository"),
        "package.commit_hash": Renamed("package.commit"),
        "package.patterns": Renamed("package.include"),
        "package.exclude_patterns": Renamed("package.exclude"),
        "package.image": Renamed("cluster.container.image", "a container brings libraries, and a package your code"),
    }
)
"""Old key → what it is called here."""

NO_PLACE: Mapping[str, str] = MappingProxyType(
    {
        "training.warmup_schedule": "warm-up is linear from 0; only its length, `training.warmup_steps`, is chosen",
        "deepspeed.enabled": "DeepSpeed always runs the training; stage 0 partitions nothing",
        "debug": 'a run has one mode; `tracking.log_level = "debug"` shows more',
        "metadata.created_at": "no clock gets into a bundle, so that the same input gives the same bytes",
        "metadata.version": "the manifest records the compiler's version and a digest of the whole plan",
        "metadata.hash": "the manifest records a digest of the whole plan",
        "environment": 'an environment is an overlay, chosen with `[overlays]` `env = "production"`',
        "world_size": "it is `launch.nodes` × `launch.gpus_per_node`",
        "launch.world_size": "it is `launch.nodes` × `launch.gpus_per_node`",
        "backend": "`hardware.device` decides: nccl on cuda, gloo on cpu",
        "launch.backend": "`hardware.device` decides: nccl on cuda, gloo on cpu",
        "rlhf": _PREFERENCES,
        "ppo": _PREFERENCES,
        "dpo": _PREFERENCES,
        "reward_model": _PREFERENCES,
        "training.rlhf": _PREFERENCES,
        "training.ppo": _PREFERENCES,
        "training.dpo": _PREFERENCES,
        "algorithm": "alignment algorithms are not supported by this runtime yet; the loss is next-token cross entropy "
        "or that of `training.loss.target`",
        "lora": _ADAPTERS,
        "peft": _ADAPTERS,
        "model.lora": _ADAPTERS,
        "model.peft": _ADAPTERS,
        "training.lora": _ADAPTERS,
        "training.peft": _ADAPTERS,
        "quantization": "quantised training is not supported by this runtime yet",
        "ray": "Ray is not a way to start a run here; `launch.sh` and `job.sbatch` are in every bundle",
    }
)
"""Keys and tables of other systems that have no counterpart, and why."""


CHOICES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "package.kind": {"pattern": "files", "patterns": "files", "hybrid": "both", "archive": "git"},
        "data.tokenizer.kind": {
            "huggingface": "transformers",
            "hf": "transformers",
            "sentencepiece": "transformers",
            "auto": "transformers",
            "byte": "bytes",
        },
        "data.sources.kind": {
            "txt": "text",
            "json": "jsonl",
            "ndjson": "jsonl",
            "feather": "arrow",
            "ipc": "arrow",
            "hf": "huggingface",
            "datasets": "huggingface",
            "bin": "tokens",
            "mmap": "tokens",
        },
    }
)
"""What a choice is called elsewhere, by key, and here."""


def aliases() -> Mapping[str, str]:
    """The last part of every renamed key that always means one key here: ``lr`` → ``training.learning_rate``."""
    found: dict[str, set[str]] = {}
    for old, renamed in RENAMED.items():
        found.setdefault(old.rpartition(".")[2], set()).add(renamed.key)
    return {old: next(iter(keys)) for old, keys in found.items() if len(keys) == 1}
