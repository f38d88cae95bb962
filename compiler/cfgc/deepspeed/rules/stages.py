"""ZeRO keys and the stages that read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, path_of
from cfgc.deepspeed.rules.facts import (
    STAGE,
    ZERO,
    as_written,
    flag_at,
    stage_at,
    stage_of,
    written_keys,
    zero_name,
)
from cfgc.deepspeed.rules.remedy import Remedy, drop, listed, put, told
from cfgc.deepspeed.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

EVERY, FLAT, LAST = (1, 2, 3), (1, 2), (3,)

READ_AT: dict[str, tuple[int, ...]] = {
    "contiguous_gradients": EVERY,
    "load_from_fp32_weights": EVERY,
    "overlap_comm": EVERY,
    "reduce_bucket_size": EVERY,
    "reduce_scatter": EVERY,
    "allgather_bucket_size": FLAT,
    "allgather_partitions": FLAT,
    "elastic_checkpoint": FLAT,
    "ignore_unused_parameters": FLAT,
    "parameter_alignment": FLAT,
    "round_robin_gradients": FLAT,
    "use_multi_rank_bucket_allreduce": FLAT,
    "allgather_sequential": LAST,
    "enable_sanity_checks": LAST,
    "gather_16bit_weights_on_model_save": LAST,
    "leaf_module": LAST,
    "log_trace_cache_warnings": LAST,
    "max_live_parameters": LAST,
    "max_reuse_distance": LAST,
    "memory_efficient_linear": LAST,
    "mics_hierarchical_params_gather": LAST,
    "mics_shard_size": LAST,
    "model_persistence_threshold": LAST,
    "module_granularity_threshold": LAST,
    "override_module_apply": LAST,
    "param_persistence_threshold": LAST,
    "pipeline_loading_checkpoint": LAST,
    "prefetch_bucket_size": LAST,
    "save_muon_momentum_buffer_in_memory": LAST,
    "stage3_gather_fp16_weights_on_model_save": LAST,
    "sub_group_size": LAST,
    "use_all_reduce_for_fetch_params": LAST,
    "zero_hpz_partition_size": LAST,
    "zero_quantized_gradients": LAST,
    "zero_quantized_nontrainable_weights": LAST,
    "zero_quantized_weights": LAST,
    "zeropp_loco_param": LAST,
}
"""Stages that are given the key (``engine._configure_zero_optimizer``, ``zero.Init``), in every release since 0.12.

Keys of stage 3 have a second name, with ``stage3_`` before it. ``allgather_partitions`` is read by none, and what it
asks for is always done at stages 1 and 2. Keys with a rule of their own are not here.
"""


def keys_have_a_reader(case: Case) -> Iterator[Diagnostic]:
    """CFG501: a ZeRO key is read at the stage."""
    stage = stage_of(case)
    if stage is None:
        return
    unread = [key for key in written_keys(case, ZERO) if _is_unread(case, key, stage)]
    if _lists_everything(case):
        unread = [key for key in unread if not _is_default(case, key, stage)]
    if not unread:
        return
    names = [as_written(case, key) for key in unread]
    yield case.warning(
        "CFG501",
        f"{listed(names)} {'has' if len(names) == 1 else 'have'} no effect at {zero_name(stage)}",
        [*(At(key, "has no effect") for key in unread), stage_at(case)],
        _where_read(case, unread, stage),
        *told(_ways_out(case, unread, stage)),
    )


def _stages(name: str) -> tuple[int, ...] | None:
    return READ_AT.get(name, READ_AT.get(name.removeprefix("stage3_")))


def _is_unread(case: Case, key: str, stage: int) -> bool:
    stages = _stages(leaf(key))
    if stages is None:
        return False
    return stage not in stages or (leaf(key) == "allgather_partitions" and flag_at(case, key) is False)


def _lists_everything(case: Case) -> bool:
    """Whether the file pins every ZeRO key, so that those at their defaults are no mistake."""
    return all(
        case.config.get(path) is not None
        for path, key in case.release.keys.items()
        if path[:-1] == (ZERO,) and _stages(path[-1]) and not (key.alias_of or key.deprecated or key.refused)
    )


def _is_default(case: Case, dotted: str, stage: int) -> bool:
    """Whether what is written is what holds anyway, or names nothing; a table when all its keys are."""
    path = path_of(dotted)
    entry, key = case.config.get(path), case.release.key(path)
    if entry is None or entry.value == []:
        return True
    if isinstance(entry.value, dict):
        return all(_is_default(case, f"{dotted}.{name}", stage) for name in entry.value)
    default = stage == 3 if leaf(dotted) == "overlap_comm" else key.default if key else None
    return bool(entry.value == default)


def _where_read(case: Case, unread: list[str], stage: int) -> Iterator[str]:
    if stage == 0:
        yield "without ZeRO nothing of this section is read"
        return
    last = [as_written(case, key) for key in unread if _stages(leaf(key)) == LAST]
    flat = [as_written(case, key) for key in unread if _stages(leaf(key)) == FLAT and stage == 3]
    if last:
        yield f"read at stage 3: {listed(last)}"
    if flat:
        yield f"read at stages 1 and 2: {listed(flat)}"
    if stage != 3 and f"{ZERO}.allgather_partitions" in unread:
        yield f"DeepSpeed {case.release.version} always gathers the partitions, whatever `allgather_partitions` says"


def _ways_out(case: Case, unread: list[str], stage: int) -> tuple[Remedy, ...]:
    dropped = drop(case, *unread)
    meant = 3 if any(_stages(leaf(key)) == LAST for key in unread) else 2
    if stage == 0 and not case.written(STAGE):
        return (put(case, STAGE, meant), dropped)
    return (dropped, put(case, STAGE, 3)) if meant == 3 and stage in FLAT else (dropped,)


RULES = (keys_have_a_reader,)
