"""Values that are fine alone and cannot hold together: what two keys of one file mean for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

from tools.mutations.subjects import Subject, Where, value_at

Contradiction: TypeAlias = tuple[Where, Any, Where]
"""The key to change, its new value, and the key that it then contradicts."""

Get: TypeAlias = Callable[[str], Any]
TRIPLE = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
SPEC_TRIPLE = ("global_batch_size", "micro_batch_size", "gradient_accumulation_steps")


def contradictions(subject: Subject, random: Random) -> list[Contradiction]:
    """Every contradiction that one change can make in ``subject``."""

    def get(key: str) -> Any:
        return value_at(subject.tree, tuple(key.split(".")))

    found = _of_spec(get, random) if subject.kind == "spec" else _of_ds_config(get, random, subject.world_size)
    return [
        (where, value, other) for where, value, other in found if value_at(subject.tree, where) not in (None, value)
    ]


def _pair(key: str, value: Any, other: str) -> Contradiction:
    return tuple(key.split(".")), value, tuple(other.split("."))


def _triple(names: tuple[str, str, str], prefix: str, get: Get, random: Random) -> Iterator[Contradiction]:
    whole, *parts = (f"{prefix}{name}" for name in names)
    numbers = [get(key) for key in (whole, *parts)]
    if all(isinstance(number, int) for number in numbers):
        yield _pair(whole, numbers[0] + 1, parts[0])
        yield _pair(parts[0], numbers[1] * random.choice((3, 5)), whole)
        yield _pair(parts[1], numbers[2] * random.choice((3, 7)), whole)


def _of_spec(get: Get, random: Random) -> Iterator[Contradiction]:
    yield from _triple(SPEC_TRIPLE, "training.", get, random)
    heads, steps, limit = get("model.num_heads"), get("training.max_steps"), get("model.max_sequence_length")
    if isinstance(heads, int):
        yield _pair("model.hidden_size", heads * 64 + 1, "model.num_heads")
        yield _pair("model.num_kv_heads", heads + 1, "model.num_heads")
    if isinstance(limit, int):
        yield _pair("data.sequence_length", limit + random.randrange(1, 999), "model.max_sequence_length")
    if isinstance(steps, int):
        yield _pair("training.warmup_steps", steps + random.randrange(1, 999), "training.max_steps")
        yield _pair("checkpoint.every_steps", steps * 2, "training.max_steps")
    if isinstance(get("training.learning_rate"), float):
        higher = get("training.learning_rate") * random.choice((2, 10))
        yield _pair("training.scheduler.final_learning_rate", higher, "training.learning_rate")
    if get("deepspeed.zero.stage") is not None and get("deepspeed.zero.stage") != 3:
        yield _pair("deepspeed.offload.parameters", "cpu", "deepspeed.zero.stage")
    if get("hardware.gpus_per_node_max"):
        yield _pair("launch.gpus_per_node", get("hardware.gpus_per_node_max") + 1, "hardware.gpus_per_node_max")
    if isinstance(get("launch.time_limit"), int):
        yield _pair("launch.signal_lead", get("launch.time_limit") + 60, "launch.time_limit")
    if get("deepspeed.offload.optimizer") == "none":
        yield _pair("deepspeed.offload.ratio", 0.5, "deepspeed.offload.optimizer")
    if get("training.scheduler.type") == "cosine":
        yield _pair("training.scheduler.type", "constant", "training.scheduler.final_learning_rate")
    if get("hardware.device") == "cuda":
        yield _pair("hardware.device", "cpu", "hardware.architecture")


def _of_ds_config(get: Get, random: Random, world_size: int) -> Iterator[Contradiction]:
    if world_size:
        yield from _triple(TRIPLE, "", get, random)
    yield from _of_zero(get)
    yield from _of_scheduler(get, random)
    yield from _of_precision(get)
    yield from _of_parallelism(get, world_size)
    yield from _of_features(get)
    if isinstance(get("bf16"), dict) and isinstance(get("fp16"), dict):
        on, off = ("bf16", "fp16") if get("bf16.enabled") is True else ("fp16", "bf16")
        if get(f"{on}.enabled") is True:
            yield _pair(f"{off}.enabled", True, f"{on}.enabled")
    if get("activation_checkpointing.number_checkpoints") is None:
        yield _pair("activation_checkpointing.contiguous_memory_optimization", True, "activation_checkpointing")
    params = get("optimizer.params")
    if isinstance(params, dict) and "betas" in params:
        yield _pair("optimizer.type", "SGD", "optimizer.params.betas")


def _of_precision(get: Get) -> Iterator[Contradiction]:
    on = get("fp16.enabled") is True or get("bf16.enabled") is True
    if on and get("data_types.grad_accum_dtype") and not get("zero_optimization.stage"):
        yield _pair("data_types.grad_accum_dtype", "fp16", "bf16.enabled")
    if get("fp16.enabled") is True and not get("fp16.loss_scale"):
        yield _pair("fp16.min_loss_scale", 0, "fp16.loss_scale")
        yield _pair("fp16.loss_scale_window", 0, "fp16.loss_scale")
    if get("zero_optimization.stage") == 0:
        yield _pair("bf16.bf16_master_weights_and_grads", True, "zero_optimization.stage")
    if get("bf16.bf16_master_weights_and_grads") is False:
        yield _pair("bf16.bf16_optimizer_states", True, "bf16.bf16_master_weights_and_grads")


def _of_parallelism(get: Get, world_size: int) -> Iterator[Contradiction]:
    sharded = isinstance(get("zero_optimization.zero_hpz_partition_size"), int)
    if world_size and sharded and get("zero_optimization.stage") == 3:
        yield _pair("zero_optimization.zero_hpz_partition_size", world_size + 1, "train_batch_size")


def _of_features(get: Get) -> Iterator[Contradiction]:
    stage = get("zero_optimization.stage")
    if stage == 0 and get("compile.deepcompile") is False:
        yield _pair("compile.deepcompile", True, "zero_optimization.stage")
    offloads = isinstance(get("zero_optimization.offload_optimizer"), dict)
    if stage in (1, 2) and offloads and get("zero_optimization.contiguous_gradients") is True:
        yield _pair("zero_optimization.contiguous_gradients", False, "zero_optimization.offload_optimizer")
    if isinstance(get("activation_checkpointing.partition_activations"), bool):
        key = "activation_checkpointing.contiguous_memory_optimization"
        yield _pair(key, True, "activation_checkpointing.partition_activations")
    if isinstance(get("scheduler.params.cycle_max_lr"), float):
        yield _pair(
            "scheduler.params.cycle_min_lr", get("scheduler.params.cycle_max_lr") * 3, "scheduler.params.cycle_max_lr"
        )


def _of_zero(get: Get) -> Iterator[Contradiction]:
    zero, stage = get("zero_optimization"), get("zero_optimization.stage")
    if not isinstance(zero, dict) or not isinstance(stage, int):
        return
    for side in ("offload_param", "offload_optimizer"):
        if isinstance(zero.get(side), dict):
            lower = 2 if side == "offload_param" else 0
            yield _pair("zero_optimization.stage", lower, f"zero_optimization.{side}")
            yield _pair(f"zero_optimization.{side}.device", "nvme", f"zero_optimization.{side}")
    if stage >= 2 and zero.get("reduce_scatter") is True:
        yield _pair("prescale_gradients", True, "zero_optimization.reduce_scatter")
    if stage == 3:
        yield _pair("gradient_allreduce_op", "sum", "zero_optimization.stage")
    if stage < 3:
        yield _pair("zero_optimization.zero_quantized_weights", True, "zero_optimization.stage")
        yield _pair("zero_optimization.zero_hpz_partition_size", 8, "zero_optimization.stage")


def _of_scheduler(get: Get, random: Random) -> Iterator[Contradiction]:
    low, high = get("scheduler.params.warmup_min_lr"), get("scheduler.params.warmup_max_lr")
    if isinstance(low, float | int) and isinstance(high, float | int):
        yield _pair("scheduler.params.warmup_min_lr", high * 2, "scheduler.params.warmup_max_lr")
    total = get("scheduler.params.total_num_steps")
    if isinstance(total, int):
        longer = total + random.randrange(1, 999)
        yield _pair("scheduler.params.warmup_num_steps", longer, "scheduler.params.total_num_steps")
        yield _pair("scheduler.type", "OneCycle", "scheduler.params.total_num_steps")
