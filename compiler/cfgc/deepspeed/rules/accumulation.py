"""The norm of the gradients, and who decides when they are applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import (
    STAGE,
    ZERO,
    flag_at,
    has_bf16_optimizer,
    offload_at,
    offload_of,
    stage_at,
    stage_of,
    table_at,
    zero_name,
)
from cfgc.deepspeed.rules.remedy import Remedy, drop, put, told

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

ACCUMULATION, NORM, CLIP = "managed_gradient_accumulation", f"{ZERO}.compute_grad_norm", "gradient_clipping"


def norm_is_not_needed(case: Case) -> Iterator[Diagnostic]:
    """CFG564: the gradient's norm is left out only where nothing uses it."""
    stage = stage_of(case)
    if flag_at(case, NORM, default=True) is not False or stage is None:
        return
    found = next(_uses_of_norm(case, stage), None)
    if found is None:
        return
    place, why, without = found
    yield case.error(
        "CFG564",
        f"`{NORM}` cannot be false {why}",
        [At(NORM, "no norm"), place],
        ("DeepSpeed stops where the norm is needed, or where leaving it out is not supported",),
        *told([put(case, NORM, True), *without]),
    )


def _uses_of_norm(case: Case, stage: int) -> Iterator[tuple[At, str, tuple[Remedy, ...]]]:
    """What needs the norm: the place, how the sentence ends, and how to do without."""
    zenflow = f"{ZERO}.zenflow"
    if stage not in (1, 2):
        yield stage_at(case), f"at {zero_name(stage)}", (put(case, STAGE, 2),)
    if (case.number(CLIP) or 0) > 0:
        yield At(CLIP, "clips by the norm"), "while gradients are clipped", (put(case, CLIP, 0),)
    if table_at(case, zenflow) and case.written(zenflow):
        yield At(zenflow, "ZenFlow"), "with ZenFlow", (drop(case, zenflow),)
    if offload_of(case, "optimizer") in ("cpu", "nvme"):
        yield offload_at(case, "optimizer"), "while the optimizer is offloaded", ()
    if has_bf16_optimizer(case):
        place = At("data_types.grad_accum_dtype", "fp32 gradients")
        yield place, "at ZeRO-1 with bf16 weights and fp32 gradients", (put(case, STAGE, 2),)


def accumulation_is_managed(case: Case) -> Iterator[Diagnostic]:
    """CFG533: a program that accumulates by itself meets nothing that needs to know when."""
    if flag_at(case, ACCUMULATION, default=True) is not False:
        return
    stage, overlap, compiled = stage_of(case), f"{ZERO}.overlap_comm", "compile.deepcompile"
    if stage in (0, 1) and flag_at(case, overlap) is True:
        yield _unmanaged(
            case, At(overlap, "needs stage 2 or 3"), "with overlapped communication", put(case, overlap, False)
        )
    elif flag_at(case, compiled) is True:
        yield _unmanaged(case, At(compiled, "DeepCompile"), "with DeepCompile", put(case, compiled, False))


def _unmanaged(case: Case, place: At, what: str, without: Remedy) -> Diagnostic:
    return case.error(
        "CFG533",
        f"`{ACCUMULATION}` cannot be false {what}",
        [At(ACCUMULATION, "the program accumulates"), place],
        ("DeepSpeed stops at the start",),
        *told([put(case, ACCUMULATION, True), without]),
    )


RULES = (accumulation_is_managed, norm_is_not_needed)
