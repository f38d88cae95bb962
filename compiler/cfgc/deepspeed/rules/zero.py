"""What single ZeRO keys need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import (
    ZERO,
    flag_at,
    has_bf16_optimizer,
    offload_at,
    offload_of,
    stage_at,
    stage_of,
)
from cfgc.deepspeed.rules.remedy import drop, put, told
from cfgc.deepspeed.rules.stages import FLAT
from cfgc.deepspeed.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic


def allgather_bucket_is_even(case: Case) -> Iterator[Diagnostic]:
    """CFG572: the buffers of ZeRO-1 and 2 begin at four bytes."""
    key = f"{ZERO}.allgather_bucket_size"
    size, stage = case.integer(key), stage_of(case)
    if size is None or size % 2 == 0 or stage not in FLAT or not case.written(key) or has_bf16_optimizer(case):
        return
    yield case.error(
        "CFG572",
        f"`{key}` is odd, and ZeRO-{stage} needs an even number",
        [At(key, f"{size:,} numbers"), stage_at(case)],
        ("every buffer begins at four bytes, two 16-bit numbers; DeepSpeed stops when it builds the optimizer",),
        *told([put(case, key, size - 1 if size > 1 else 2)]),
    )


def first_stage_1_is_gone(case: Case) -> Iterator[Diagnostic]:
    """CFG531: the first implementation of stage 1 was removed before any release that is known here."""
    key, stage = f"{ZERO}.legacy_stage1", stage_of(case)
    if flag_at(case, key) is not True or not stage:
        return
    yield case.error(
        "CFG531",
        f"`{key}` asks for an implementation that is gone",
        [At(key, "removed in 0.5.9"), stage_at(case)],
        ("DeepSpeed accepts the key, and stops when it builds the optimizer, at every stage",),
        *told([drop(case, key)]),
    )


def overlap_has_streams(case: Case) -> Iterator[Diagnostic]:
    """CFG509: a CPU has no streams to overlap."""
    key = f"{ZERO}.overlap_comm"
    if case.device != "cpu" or flag_at(case, key) is not True or not stage_of(case):
        return
    yield case.warning(
        "CFG509",
        "communication does not overlap on a CPU",
        [At(key, "has no effect")],
        ("a CPU has no streams to do two things at a time",),
        *told([put(case, key, False)]),
    )


def offload_has_contiguous_gradients(case: Case) -> Iterator[Diagnostic]:
    """CFG510: with the optimizer offloaded, ZeRO-1 and 2 make gradients contiguous whatever is said."""
    key, stage = f"{ZERO}.contiguous_gradients", stage_of(case)
    if flag_at(case, key, default=True) is not False or stage not in FLAT:
        return
    if offload_of(case, "optimizer") not in ("cpu", "nvme"):
        return
    yield case.warning(
        "CFG510",
        f"an offloaded optimizer makes gradients contiguous, whatever `{leaf(key)}` says",
        [At(key, "is ignored"), offload_at(case, "optimizer"), stage_at(case)],
        ("gradients are copied to the CPU through one buffer",),
        *told([put(case, key, True)]),
    )


RULES = (
    overlap_has_streams,
    offload_has_contiguous_gradients,
    first_stage_1_is_gone,
    allgather_bucket_is_even,
)
