"""What gradients and losses are multiplied with."""

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
    written_keys,
    zero_name,
)
from cfgc.deepspeed.rules.remedy import Remedy, drop, listed, put, told
from cfgc.deepspeed.rules.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

PRESCALE, PREDIVIDE = "prescale_gradients", "gradient_predivide_factor"
SUM, ACCUMULATION = "gradient_allreduce_op", "managed_gradient_accumulation"
SCATTER, NORM, CLIP = f"{ZERO}.reduce_scatter", f"{ZERO}.compute_grad_norm", "gradient_clipping"


def gradients_are_scaled_once(case: Case) -> Iterator[Diagnostic]:
    """CFG507: reduce-scatter averages gradients itself."""
    stage, factor = stage_of(case), case.number(PREDIVIDE)
    first = 2 if case.since("0.13.0") else 1
    if stage is None or stage < first or flag_at(case, SCATTER, default=True) is not True:
        return
    if stage == 2 and case.text(SUM) == "sum":
        return
    keys = [PRESCALE] if flag_at(case, PRESCALE) is True else []
    keys += [PREDIVIDE] if case.written(PREDIVIDE) and factor not in (None, 1) else []
    if not keys:
        return
    yield case.error(
        "CFG507",
        f"gradients cannot be divided before the reduce-scatter of ZeRO-{stage}",
        [*(At(key, "divides before the reduction") for key in keys), stage_at(case), At(SCATTER, "reduce-scatter")],
        ("DeepSpeed stops when it builds the optimizer: not yet supported with reduce scatter enabled",),
        *told([drop(case, *keys), put(case, SCATTER, False)]),
    )


def scaling_is_used(case: Case) -> Iterator[Diagnostic]:
    """CFG512: a key that divides gradients is read."""
    stage, scatters = stage_of(case), flag_at(case, SCATTER, default=True)
    asked = _divisions(case)
    if stage is None or scatters is None or not asked:
        return
    if stage == 1 and scatters and case.since("0.13.0"):
        yield case.warning(
            "CFG512",
            f"{listed(asked)} {'has' if len(asked) == 1 else 'have'} no effect at ZeRO-1",
            [*(At(key, "has no effect") for key in asked), stage_at(case), At(SCATTER, "averages by itself")],
            ("the reduce-scatter of ZeRO-1 divides by the number of ranks, before it sums, and by nothing else",),
            *told([drop(case, *asked), put(case, SCATTER, False)]),
        )
    elif len(asked) == 2 and (stage == 0 or not scatters):
        yield case.warning(
            "CFG512",
            f"`{PREDIVIDE}` has no effect with `{PRESCALE}`",
            [At(PREDIVIDE, "has no effect"), At(PRESCALE, "divides by the number of ranks")],
            (),
            *told([drop(case, PREDIVIDE), drop(case, PRESCALE)]),
        )


def _divisions(case: Case) -> list[str]:
    """The keys that divide gradients before they are summed."""
    keys = [PRESCALE] if flag_at(case, PRESCALE) is True else []
    factor = case.number(PREDIVIDE) if case.written(PREDIVIDE) else None
    return [*keys, PREDIVIDE] if factor is not None and factor > 0 and factor != 1 else keys


def divisor_is_positive(case: Case) -> Iterator[Diagnostic]:
    """CFG569: gradients are divided by the factor."""
    factor, stage = case.number(PREDIVIDE), stage_of(case)
    if not case.written(PREDIVIDE) or factor is None or factor > 0:
        return
    if flag_at(case, PRESCALE) is not False or stage is None:
        return
    if stage >= (2 if case.since("0.13.0") else 1) and flag_at(case, SCATTER, default=True) is not False:
        return
    yield case.error(
        "CFG569",
        f"gradients cannot be divided by {factor:g}",
        [At(PREDIVIDE, "a number above 0")],
        ("they are divided by it before they are summed over the ranks, and multiplied with it after",),
        *told([drop(case, PREDIVIDE)]),
    )


def sum_is_possible(case: Case) -> Iterator[Diagnostic]:
    """CFG563: gradients are summed without a mean only where nothing averages them by itself."""
    if not case.since("0.19.6") or (case.text(SUM) or "").lower() != "sum":
        return
    zenflow, compiled = f"{ZERO}.zenflow", "compile.deepcompile"
    if stage_of(case) == 3:
        yield _no_sum(case, "ZeRO-3", stage_at(case), put(case, STAGE, 2))
    elif table_at(case, zenflow) and case.written(zenflow):
        yield _no_sum(case, "ZenFlow", At(zenflow, "ZenFlow"), drop(case, zenflow))
    elif flag_at(case, compiled) is True:
        yield _no_sum(case, "DeepCompile", At(compiled, "DeepCompile"), put(case, compiled, False))


def _no_sum(case: Case, what: str, place: At, without: Remedy) -> Diagnostic:
    return case.error(
        "CFG563",
        f'`{SUM}` "sum" does not work with {what}',
        [At(SUM, "a sum, not a mean"), place],
        (f"{what} averages gradients by itself; DeepSpeed refuses it when it reads the file",),
        *told([drop(case, SUM), without]),
    )


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


DYNAMIC: dict[str, tuple[int, str]] = {
    "loss_scale_window": (1000, "the step is divided by it (ZeroDivisionError when it is 0)"),
    "min_loss_scale": (1, "the scale could fall to 0, where every gradient vanishes"),
    "hysteresis": (2, "the scale would never be lowered, and every step that overflows is skipped"),
}
"""Keys that must be at least 1, with their defaults and what a smaller number does (``fp16/loss_scaler.py``)."""


def dynamic_scale_works(case: Case) -> Iterator[Diagnostic]:
    """CFG571: a dynamic loss scale can be raised and lowered."""
    if flag_at(case, "fp16.enabled") is not True or (case.number("fp16.loss_scale") or 0) != 0:
        return
    if case.written("fp16.loss_scale") and case.number("fp16.loss_scale") is None:
        return
    for name, (default, why) in DYNAMIC.items():
        key = f"fp16.{name}"
        value = case.integer(key)
        if not case.written(key) or value is None or value >= 1:
            continue
        yield case.error(
            "CFG571",
            f"a dynamic loss scale needs `{key}` of at least 1",
            [At(key, str(value)), At("fp16.loss_scale", "0 is a dynamic scale")],
            (why,),
            *told([put(case, key, default)]),
        )


def loss_scale_has_fp16(case: Case) -> Iterator[Diagnostic]:
    """CFG511: a section that does not switch fp16 on says nothing. One that switches it off is meant to."""
    unread = written_keys(case, "fp16", ("fp16_master_weights_and_grads",))
    if not unread or case.written("fp16.enabled"):
        return
    names = [leaf(key) for key in unread]
    yield case.warning(
        "CFG511",
        f"{listed(names)} of `fp16` {'has' if len(names) == 1 else 'have'} no effect: fp16 is not switched on",
        [At(key, "has no effect") for key in unread],
        ("`fp16.enabled` is false when it is left out",),
        *told([put(case, "fp16.enabled", True), drop(case, "fp16")]),
    )


RULES = (
    gradients_are_scaled_once,
    loss_scale_has_fp16,
    scaling_is_used,
    accumulation_is_managed,
    sum_is_possible,
    norm_is_not_needed,
    divisor_is_positive,
    dynamic_scale_works,
)
