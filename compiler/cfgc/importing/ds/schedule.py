"""The scheduler of a ds_config: the runtime owns the learning rate, so its settings move to ``training``."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.case import Case, path_of
from cfgc.deepspeed.config import Json
from cfgc.deepspeed.table import MISSING
from cfgc.importing.items import YOURS, Dropped, Item, Setting, came_from

TYPE, FINAL = "training.scheduler.type", "training.scheduler.final_learning_rate"
WARMUP, STEPS = "training.warmup_steps", "training.max_steps"
PARAMS = "scheduler.params"
_WARMING = ("WarmupLR", "WarmupDecayLR", "WarmupCosineLR")
_SHAPES = {"WarmupLR": "constant", "WarmupDecayLR": "linear", "WarmupCosineLR": "cosine", "CosineAnnealingLR": "cosine"}
_IN_A_SPEC = {
    "StepLR": 'a spec has StepLR as `type = "step"` with `step_size`',
    "MultiStepLR": 'a spec has MultiStepLR as `type = "step"` with `milestones`',
    "PolynomialLR": 'a spec has PolynomialLR as `type = "polynomial"`',
}
"""Classes of torch that are not converted; DeepSpeed makes any of them."""
_PLACEHOLDER_STEPS = 10_000
_CONVERTED = ("warmup_num_steps", "warmup_max_lr", "total_num_steps", "T_max", "eta_min", "cos_min_ratio")


def peak_rate(case: Case) -> float | None:
    """The rate that a warm-up scheduler climbs to; None where it is the optimizer's own."""
    if case.text("scheduler.type") not in ("WarmupLR", "WarmupDecayLR"):
        return None
    rate = _parameter(case, "warmup_max_lr")
    return float(rate) if isinstance(rate, int | float) else None


def _parameter(case: Case, name: str) -> Json:
    """What the file gives the scheduler, else its default in the release; None for what the trainer fills in."""
    dotted = f"{PARAMS}.{name}"
    if case.written(dotted):
        return case.value(dotted)
    known = case.release.schedulers.get(case.text("scheduler.type") or "")
    default = known.parameters.get(name) if known else None
    return None if default == MISSING else default


def schedule(case: Case) -> Iterator[Item]:
    """``training.scheduler``, the warm-up, and the steps of the run."""
    if not case.written("scheduler"):
        comment = "the file has no scheduler: DeepSpeed holds the rate, or the training script has its own"
        yield Setting(TYPE, "constant", f"check: {comment}", (), "doubtful")
        yield Setting(STEPS, _PLACEHOLDER_STEPS, YOURS, (), "placeholder")
        return
    name = case.text("scheduler.type") or ""
    yield _shape(name)
    yield from _warmup(case, name)
    yield from _steps(case, name)
    yield from _final(case, name)
    yield from _rest(case)


def _shape(name: str) -> Item:
    sources = (path_of("scheduler.type"),)
    if name in _SHAPES:
        return Setting(TYPE, _SHAPES[name], came_from(f"scheduler.type = {name}"), sources)
    lacking = f"the runtime does not have the scheduler {name or 'without a type'}"
    comment = f"check: {_IN_A_SPEC.get(name, lacking)}; this holds the rate"
    return Setting(TYPE, "constant", comment, sources, "doubtful")


def _warmup(case: Case, name: str) -> Iterator[Item]:
    if name not in _WARMING:
        return
    dotted = f"{PARAMS}.warmup_num_steps"
    sources = tuple(
        path_of(f"{PARAMS}.{key}") for key in ("warmup_num_steps", "warmup_type") if case.written(f"{PARAMS}.{key}")
    )
    count = _parameter(case, "warmup_num_steps")
    if count is None:
        yield Setting(WARMUP, 0, f'{dotted} is "auto": {YOURS}', sources, "placeholder")
    elif case.text(f"{PARAMS}.warmup_type") == "linear":
        yield Setting(WARMUP, count, came_from(dotted), sources)
    else:
        comment = f"check: {came_from(dotted)}; DeepSpeed climbs by the logarithm, the runtime in a line"
        yield Setting(WARMUP, count, comment, sources, "doubtful")


def _steps(case: Case, name: str) -> Iterator[Item]:
    dotted = f"{PARAMS}.T_max" if name == "CosineAnnealingLR" else f"{PARAMS}.total_num_steps"
    sources = (path_of(dotted),) if case.written(dotted) else ()
    count = case.integer(dotted)
    if count is not None:
        yield Setting(STEPS, count, came_from(dotted), sources)
        return
    warmup = case.integer(f"{PARAMS}.warmup_num_steps") or 0
    why = f'{dotted} is "auto": {YOURS}' if sources else YOURS
    yield Setting(STEPS, max(_PLACEHOLDER_STEPS, 10 * warmup), why, sources, "placeholder")


def _final(case: Case, name: str) -> Iterator[Item]:
    if name == "WarmupCosineLR":
        dotted = f"{PARAMS}.cos_min_ratio"
        ratio = _parameter(case, "cos_min_ratio")
        sources = (path_of(dotted),) if case.written(dotted) else ()
        if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 <= ratio <= 1:
            yield Dropped(path_of(dotted), "it is no ratio", ratio, doubtful=True)
            return
        value = f"${{training.learning_rate * {ratio!r}}}"
        yield Setting(FINAL, value, came_from(dotted), sources, "converted" if sources else "default", expression=True)
    elif name == "CosineAnnealingLR" and case.written(f"{PARAMS}.eta_min"):
        dotted = f"{PARAMS}.eta_min"
        yield Setting(FINAL, case.value(dotted), came_from(dotted), (path_of(dotted),))


def _rest(case: Case) -> Iterator[Item]:
    """Parameters that the runtime's schedule does not have."""
    name = case.text("scheduler.type") or ""
    for parameter, entry in case.config.below(path_of(PARAMS)):
        path = (*path_of(PARAMS), parameter)
        if parameter == "warmup_max_lr" or (name in _WARMING and parameter == "warmup_type"):
            continue
        if parameter in _CONVERTED and name in _SHAPES:
            continue
        if parameter in ("warmup_min_lr", "warmup_min_ratio") and name in _WARMING:
            starts = case.number(f"{PARAMS}.{parameter}")
            yield Dropped(path, "the runtime warms up from 0", entry.value, doubtful=bool(starts))
        elif parameter in ("last_batch_iteration", "last_epoch"):
            yield Dropped(path, "a resumed run knows its own step", entry.value)
        else:
            because = "the schedule is not converted" if name in _IN_A_SPEC else "a spec's schedule has no such setting"
            yield Dropped(path, because, entry.value, doubtful=True)
