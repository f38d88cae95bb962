"""The numbers of a schedule: each by itself, and what they make together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.config import AUTO, Json
from cfgc.deepspeed.rules.belonging import only
from cfgc.deepspeed.rules.optimizer_classes import PARAMS
from cfgc.deepspeed.rules.schedule_classes import SCHEDULER_PARAMS, SCHEDULER_TYPE, schedule
from cfgc.deepspeed.wording import pair
from cfgc.diagnostics.model import Fix
from cfgc.nearest import nearest

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

WARMUP, TOTAL = f"{SCHEDULER_PARAMS}.warmup_num_steps", f"{SCHEDULER_PARAMS}.total_num_steps"


RATE_OF_OPTIMIZER_SINCE = "0.17.2"
"""Null as the highest rate of a warm-up is the optimizer's own since then."""


def schedule_values_work(case: Case) -> Iterator[Diagnostic]:
    """CFG585: every value is one that the scheduler can compute with."""
    made = schedule(case)
    if made is None or made.name not in case.release.schedulers:
        return
    for name, entry in case.config.below(("scheduler", "params")):
        if entry.value == AUTO or name not in made.takes:
            continue
        refusal, meant = _refusal(case, name, entry.value)
        held = only(entry.value)
        if refusal and (held == AUTO or not _refusal(case, name, held)[0]):
            meant = held
        if refusal:
            yield _refused(case, f"{SCHEDULER_PARAMS}.{name}", refusal, meant)


def _refusal(case: Case, name: str, value: Json) -> tuple[str, Json]:
    """Why the value does not work and what was meant; two empty ones when it does."""
    if name == "warmup_type":
        near = nearest(str(value), ("log", "linear")) or "linear"
        return ("", None) if value in ("log", "linear") else ('has to be "log" or "linear"', near)
    if name in ("lr_range_test_staircase", "cycle_momentum"):
        meant = str(value).strip().lower() in ("true", "yes", "on", "1")
        return ("", None) if isinstance(value, bool) else ("has to be true or false", meant)
    if isinstance(value, list) and len(value) > 0 and name.endswith(("_lr", "_mom")):
        return "", None
    default = made_default(case, case.text(SCHEDULER_TYPE) or "", name)
    if value is None and (default is None or (name == "warmup_max_lr" and case.since(RATE_OF_OPTIMIZER_SINCE))):
        return "", None
    number = _as_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        known = isinstance(default, int | float) and not isinstance(default, bool)
        usual = default if known else 1000 if name.endswith(("steps", "size")) else 0.001
        quoted = ", without quotes" if isinstance(value, str) else ""
        return f"has to be a number{quoted}", usual if number is None else number
    return _step_refusal(case, name, value) if name.endswith(("_steps", "_size")) else _rate_refusal(name, value)


def _step_refusal(case: Case, name: str, value: float) -> tuple[str, Json]:
    strict = (name == "warmup_num_steps" and case.since("0.19.3")) or (
        name == "lr_range_test_step_size" and case.since("0.19.4")
    )
    if name == "decay_step_size":
        return ("", None) if value >= 0 else ("has to be at least 0", abs(value))
    if value < 0:
        return "has to be at least 1", max(1, int(-value))
    if strict and not isinstance(value, int):
        return "has to be an integer, written without a point or exponent", max(1, round(value))
    least = 0 if name == "warmup_num_steps" and not strict else 1
    return ("", None) if value >= least else ("has to be at least 1", 1)


def _rate_refusal(name: str, value: float) -> tuple[str, Json]:
    if name == "last_batch_iteration":
        return ("", None) if value >= -1 else ("has to be at least -1", -1)
    return ("", None) if value >= 0 else ("has to be at least 0", -value)


def _as_number(value: Json) -> float | None:
    try:
        return (int(value) if str(value).isdigit() else float(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _refused(case: Case, dotted: str, refusal: str, meant: Json) -> Diagnostic:
    return case.error(
        "CFG585",
        f"`{dotted}` {refusal}",
        [At(dotted, 'taken as "log"' if dotted.endswith("warmup_type") else "")],
        ("DeepSpeed hands the value on unread, and finds out when it builds the scheduler, or never",),
        (f"write {pair(dotted, meant)} in `{SCHEDULER_PARAMS}`",),
        (Fix((case.set(dotted, meant),), certain="quotes" in refusal),),
    )


def warmup_ends(case: Case) -> Iterator[Diagnostic]:
    """CFG420: warm-up ends before the run does."""
    total, warmup = case.number(TOTAL), case.number(WARMUP)
    made = schedule(case)
    if made is None or "total_num_steps" not in made.takes or not total or not warmup:
        return
    if warmup <= total or total < 1:
        return
    usual = max(1, int(total) // 50)
    yield case.error(
        "CFG420",
        "warm-up is not over before the schedule ends",
        [At(WARMUP, f"{warmup:g} steps of warm-up"), At(TOTAL, f"{total:g} steps in all")],
        ("the rate never reaches its peak; DeepSpeed only logs it",),
        (f"write {pair(WARMUP, usual)} in `{SCHEDULER_PARAMS}` (2 % of the steps)",),
        (Fix((case.set(WARMUP, usual),)),),
    )


_BOUNDS = (("warmup_min_lr", "warmup_max_lr"), ("cycle_min_lr", "cycle_max_lr"), ("cycle_min_mom", "cycle_max_mom"))


def bounds_are_in_order(case: Case) -> Iterator[Diagnostic]:
    """CFG589: the smaller bound of a schedule is the smaller one."""
    made = schedule(case)
    for low, high in _BOUNDS:
        lowest, highest = f"{SCHEDULER_PARAMS}.{low}", f"{SCHEDULER_PARAMS}.{high}"
        bottom, top = case.number(lowest), case.number(highest)
        if made is None or low not in made.takes or bottom is None or top is None or 0 <= bottom <= top or top < 0:
            continue
        yield case.error(
            "CFG589",
            f"`{low}` is above `{high}`",
            [At(lowest, f"{bottom:g}"), At(highest, f"{top:g}")],
            ("the schedule runs the other way round, without a word",),
            (f"swap them: {pair(low, top)} and {pair(high, bottom)}", f"or write {pair(low, 0)}"),
            (Fix((case.set(lowest, top), case.set(highest, bottom))), Fix((case.set(lowest, 0),))),
        )


def one_rate_is_given(case: Case) -> Iterator[Diagnostic]:
    """CFG592: the optimizer and the scheduler do not name two different peaks."""
    made, rate = schedule(case), case.number(f"{PARAMS}.lr")
    peak_key = f"{SCHEDULER_PARAMS}.{_peak_of(made.name)}" if made else ""
    if made is None or rate is None or peak_key.endswith(".") or not case.release.schedulers.get(made.name):
        return
    name = peak_key.rpartition(".")[2]
    peak = case.number(peak_key) if case.written(peak_key) else made_default(case, made.name, name)
    if not isinstance(peak, int | float) or peak == rate or (case.written(peak_key) and case.number(peak_key) is None):
        return
    yield case.warning(
        "CFG592",
        f"{made.name} trains with a learning rate of {peak:g}, not {rate:g}",
        [At(f"{PARAMS}.lr", "replaced in the first step"), At(peak_key, "the rate that is used"), At(SCHEDULER_TYPE)],
        (() if case.written(peak_key) else (f"`{name}` is {peak:g} when it is left out",)),
        (f"write {pair(name, rate)} in `{SCHEDULER_PARAMS}`", f"or {pair('lr', peak)} in `{PARAMS}`"),
        (Fix((case.set(peak_key, rate),)), Fix((case.set(f"{PARAMS}.lr", peak),))),
    )


def _peak_of(name: str) -> str:
    return {"WarmupLR": "warmup_max_lr", "WarmupDecayLR": "warmup_max_lr", "OneCycle": "cycle_max_lr"}.get(name, "")


def made_default(case: Case, scheduler: str, name: str) -> Json:
    """The default of a scheduler's parameter in this release."""
    return case.release.schedulers[scheduler].parameters.get(name)


RULES = (schedule_values_work, warmup_ends, bounds_are_in_order, one_rate_is_given)
