"""Numbers that nothing refuses, and with which nothing learns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.optimizer_classes import PARAMS, TYPE, built
from cfgc.deepspeed.rules.schedule_classes import SCHEDULER_PARAMS, schedule
from cfgc.deepspeed.wording import into, pair
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

HIGHEST_ADAM_RATE = 0.1
"""Adam moves every weight by about the rate in each step, whatever the gradient; weights start near 0.02."""

ADAMS = ("Adam", "Lion", "Lamb")
"""In the name of every class that moves weights by about the rate."""

LIMITS: dict[str, tuple[float, float, str]] = {
    "lr": (10.0, 0.1, "a step is the gradient times this"),
    "eps": (1.0, 1e-8, "it is added to the square root of the mean squared gradient, which is mostly far below 1"),
    "weight_decay": (10.0, 0.1, "every step takes this times the rate off each weight"),
    "max_coeff": (1e6, 10.0, "a layer's step may be so many times larger than its rate"),
    "min_coeff": (1e3, 0.01, "a layer's step is at least so many times as large as its rate"),
}
"""By parameter of the optimizer: the largest number of any use, a usual one, and what it does."""

RATES = (f"{PARAMS}.lr", f"{SCHEDULER_PARAMS}.warmup_max_lr", f"{SCHEDULER_PARAMS}.cycle_max_lr")

RATIOS = {"warmup_min_ratio": 0.0, "cos_min_ratio": 0.0001}
"""Parts of the peak, which is 1."""

FASTEST_DECAY = 1e3
"""A rate that falls to a thousandth in one interval is over."""


def adam_survives_the_rate(case: Case) -> Iterator[Diagnostic]:
    """CFG426: the peak rate is one that Adam survives."""
    made = built(case)
    if made is None or not _is_adam(made.name):
        return
    for key in RATES:
        rate = case.number(key)
        if rate is None or rate <= HIGHEST_ADAM_RATE:
            continue
        yield case.warning(
            "CFG426",
            f"a learning rate of {rate:g} is far above what {made.name} survives",
            [At(key, f"more than {HIGHEST_ADAM_RATE:g}"), At(TYPE, "moves each weight by the rate")],
            ("common peaks are 1e-5 to 1e-3",),
            (f"write {pair(key, 0.0003)}{into(key)}",),
            (Fix((case.set(key, 0.0003),)),),
        )


def _is_adam(name: str) -> bool:
    return any(part in name for part in ADAMS) and not name.endswith("Adamax")


def numbers_are_of_use(case: Case) -> Iterator[Diagnostic]:
    """CFG537: a number is not so large that nothing learns."""
    made, planned = built(case), schedule(case)
    for name, (most, usual, why) in LIMITS.items():
        number = case.number(f"{PARAMS}.{name}")
        if made is None or number is None or number <= most or (name == "lr" and _is_adam(made.name)):
            continue
        yield _too_large(case, f"{PARAMS}.{name}", number, most, usual, why)
    for name, usual in RATIOS.items():
        number = case.number(f"{SCHEDULER_PARAMS}.{name}")
        if planned is not None and name in planned.takes and number is not None and number > 1:
            why = "it is a part of the peak rate: the schedule would rise where it has to fall"
            yield _too_large(case, f"{SCHEDULER_PARAMS}.{name}", number, 1, usual, why)
    decay = case.number(f"{SCHEDULER_PARAMS}.decay_lr_rate")
    if planned is not None and "decay_lr_rate" in planned.takes and decay is not None and decay > FASTEST_DECAY:
        why = "after the cycle the rate is divided by 1 + this"
        yield _too_large(case, f"{SCHEDULER_PARAMS}.decay_lr_rate", decay, FASTEST_DECAY, 0.001, why)


def _too_large(case: Case, dotted: str, number: float, most: float, usual: float, why: str) -> Diagnostic:
    return case.warning(
        "CFG537",
        f"nothing learns with `{dotted}` at {number:g}",
        [At(dotted, f"at most {most:g} is of any use")],
        (why,),
        (f"write {pair(dotted, usual)} in `{dotted.rpartition('.')[0]}`",),
        (Fix((case.set(dotted, usual),)),),
    )


RULES = (adam_survives_the_rate, numbers_are_of_use)
