"""What gradients are divided by when they are summed over the ranks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import (
    STAGE,
    ZERO,
    flag_at,
    stage_at,
    stage_of,
    table_at,
)
from cfgc.deepspeed.rules.remedy import Remedy, drop, listed, put, told

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

PRESCALE, PREDIVIDE = "prescale_gradients", "gradient_predivide_factor"
SUM, SCATTER = "gradient_allreduce_op", f"{ZERO}.reduce_scatter"


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


RULES = (
    gradients_are_scaled_once,
    scaling_is_used,
    sum_is_possible,
    divisor_is_positive,
)
