"""Names that other trees give to what the spec has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from cfgc.importing.items import Dropped, Item

NAMES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("seed", "random_seed"), "experiment.seed"),
        # optimizer and schedule
        **dict.fromkeys(("lr", "learning_rate", "max_lr", "base_lr"), "training.learning_rate"),
        **dict.fromkeys(("min_lr", "final_lr"), "training.scheduler.final_learning_rate"),
        **dict.fromkeys(("warmup_steps", "num_warmup_steps", "warmup_iters"), "training.warmup_steps"),
        "weight_decay": "training.optimizer.weight_decay",
        "betas": "training.optimizer.betas",
        "momentum": "training.optimizer.momentum",
        **dict.fromkeys(("gradient_clip_val", "gradient_clipping", "max_grad_norm"), "training.gradient_clipping"),
        **dict.fromkeys(("grad_clip", "clip_grad", "clip_grad_norm", "grad_norm_clip"), "training.gradient_clipping"),
        # steps, batch, numbers
        **dict.fromkeys(("max_steps", "num_steps", "total_steps", "train_steps", "max_iters"), "training.max_steps"),
        **dict.fromkeys(("max_epochs", "num_epochs", "epochs", "num_train_epochs"), "training.max_epochs"),
        **dict.fromkeys(("batch_size", "micro_batch_size", "train_batch_size"), "training.micro_batch_size"),
        **dict.fromkeys(("batch_size_per_gpu", "per_device_batch_size"), "training.micro_batch_size"),
        "per_device_train_batch_size": "training.micro_batch_size",
        **dict.fromkeys(("global_batch_size", "total_batch_size"), "training.global_batch_size"),
        "gradient_accumulation_steps": "training.gradient_accumulation_steps",
        "accumulate_grad_batches": "training.gradient_accumulation_steps",
        "grad_accum_steps": "training.gradient_accumulation_steps",
        **dict.fromkeys(("precision", "mixed_precision", "dtype"), "training.precision"),
        # ranks
        **dict.fromkeys(("devices", "gpus", "num_gpus", "gpus_per_node", "n_gpus"), "launch.gpus_per_node"),
        **dict.fromkeys(("num_nodes", "nodes", "nnodes"), "launch.nodes"),
        # model
        "vocab_size": "model.vocab_size",
        **dict.fromkeys(("hidden_size", "d_model", "n_embd", "embed_dim", "hidden_dim"), "model.hidden_size"),
        **dict.fromkeys(("num_layers", "n_layer", "n_layers", "num_hidden_layers", "depth"), "model.num_layers"),
        **dict.fromkeys(("num_heads", "n_head", "n_heads", "num_attention_heads"), "model.num_heads"),
        **dict.fromkeys(("num_kv_heads", "n_kv_heads", "num_key_value_heads"), "model.num_kv_heads"),
        **dict.fromkeys(("intermediate_size", "ffn_hidden_size", "ffn_dim", "d_ff"), "model.intermediate_size"),
        **dict.fromkeys(("dropout", "hidden_dropout"), "model.hidden_dropout"),
        "attention_dropout": "model.attention_dropout",
        **dict.fromkeys(("activation", "hidden_act"), "model.activation"),
        # data
        **dict.fromkeys(("seq_length", "seq_len", "sequence_length", "block_size"), "data.sequence_length"),
        **dict.fromkeys(("max_seq_length", "max_seq_len", "context_length"), "data.sequence_length"),
        "num_workers": "data.num_workers",
        # what is written
        **dict.fromkeys(("log_every_n_steps", "log_every", "log_interval"), "tracking.log_every_steps"),
        **dict.fromkeys(("save_every", "save_interval", "save_steps"), "checkpoint.every_steps"),
        **dict.fromkeys(("eval_every", "eval_interval", "val_check_interval"), "evaluation.every_steps"),
    }
)
"""The last part of a key to the key of the spec."""


def dropped_as(key: str, items: Iterable[Item]) -> str:
    """A key of the tree that means ``key`` by its name and was dropped; empty when there is none."""
    for item in items:
        if isinstance(item, Dropped) and (NAMES.get(item.path[-1]) == key or item.path[-1] == key.rpartition(".")[2]):
            return ".".join(item.path)
    return ""
