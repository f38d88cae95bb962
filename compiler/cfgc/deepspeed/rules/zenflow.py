"""ZenFlow: important gradients update on the GPU at once, the others later on the CPU (since 0.17.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, path_of
from cfgc.deepspeed.config import AUTO
from cfgc.deepspeed.rules.facts import (
    OPTIMIZER_TYPE,
    STAGE,
    ZERO,
    device_key,
    flag_at,
    offload_at,
    offload_of,
    stage_at,
    stage_of,
    table_at,
)
from cfgc.deepspeed.rules.remedy import Remedy, both, drop, put, told

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

ZENFLOW, OVERLAP = f"{ZERO}.zenflow", f"{ZERO}.overlap_comm"
STRATEGY, SELECT, UPDATE = f"{ZENFLOW}.select_strategy", f"{ZENFLOW}.select_interval", f"{ZENFLOW}.update_interval"
PARAMETERS, TORCH_ADAM = "optimizer.params", "optimizer.params.torch_adam"
STEPS = "gradient_accumulation_steps"


def zenflow_is_possible(case: Case) -> Iterator[Diagnostic]:
    """CFG575: ZenFlow has what it needs, and its intervals fit."""
    if not has_zenflow(case) or stage_of(case) is None:
        return
    found = list(_surroundings(case))
    yield from found[:1] or [*_schedule(case), *_accumulation(case)]


def has_zenflow(case: Case) -> bool:
    """Whether the section is there; it has no switch."""
    entry = case.config.get(path_of(ZENFLOW))
    return entry is not None and isinstance(entry.value, dict)


def _surroundings(case: Case) -> Iterator[Diagnostic]:
    """What must be there besides its own section."""
    leave, offload = drop(case, ZENFLOW), put(case, device_key("optimizer"), "cpu")
    if stage_of(case) == 0:
        places = [At(ZENFLOW, "ZenFlow"), stage_at(case)]
        yield _error(
            case, "needs ZeRO", places, "it splits what ZeRO has partitioned", _with_zero(case, offload), leave
        )
    elif offload_of(case, "optimizer") == "none":
        places = [At(ZENFLOW, "ZenFlow"), offload_at(case, "optimizer", "nothing is offloaded")]
        yield _error(case, "needs an offloaded optimizer", places, "the later update runs on the CPU", offload, leave)
    if _has_no_parameters(case):
        adam = put(case, "optimizer", {"type": "AdamW", "params": {"lr": 1e-4}})
        places = [At(ZENFLOW, "ZenFlow"), At("optimizer", "without `params`")]
        why = "its Adam on the GPU is made with them, also when the program brings an optimizer"
        yield _error(case, f"needs `{PARAMETERS}`", places, why, leave, adam)
    elif flag_at(case, TORCH_ADAM) is True:
        places = [At(TORCH_ADAM, "torch's Adam"), At(ZENFLOW, "ZenFlow")]
        why = "its Adam on the GPU is given all parameters of the optimizer, and does not know this one"
        yield _error(case, "needs DeepSpeed's own Adam", places, why, drop(case, TORCH_ADAM), leave)
    kind = case.text(OPTIMIZER_TYPE)
    if case.written(OPTIMIZER_TYPE) and kind and kind.lower() not in ("adam", "adamw"):
        places = [At(OPTIMIZER_TYPE, "not Adam"), At(ZENFLOW, "ZenFlow")]
        why = "it tells the optimizer of every step which one it is, which only its own Adam understands"
        yield _error(case, "needs Adam", places, why, put(case, OPTIMIZER_TYPE, "AdamW"), leave)
    own = f"{ZENFLOW}.offload"
    if flag_at(case, own) is True and _overlaps(case) is False:
        places = [At(own, "its own states go to the CPU"), At(OVERLAP, "no overlap")]
        why = "they are fetched while gradients are reduced"
        yield _error(
            case, "offloads only with overlapped communication", places, why, put(case, OVERLAP, True), drop(case, own)
        )


def _with_zero(case: Case, offload: Remedy) -> Remedy:
    stage = put(case, STAGE, 2)
    return stage if offload_of(case, "optimizer") in ("cpu", "nvme") else both(stage, offload)


def _has_no_parameters(case: Case) -> bool:
    """Whether no optimizer with parameters is written."""
    optimizer = table_at(case, "optimizer")
    return optimizer is not None and not optimizer.get("params") and optimizer.get("params") != AUTO


def _overlaps(case: Case) -> bool | None:
    """Stage 3 overlaps unless it is told not to, others only when they are told to."""
    entry = case.config.get(path_of(OVERLAP))
    return stage_of(case) == 3 if entry is None or entry.value is None else flag_at(case, OVERLAP)


def _schedule(case: Case) -> Iterator[Diagnostic]:
    """The strategy against its intervals."""
    strategy, select, update = (_chosen(case, key) for key in (STRATEGY, SELECT, UPDATE))
    if strategy == AUTO and isinstance(select, int):
        places = [At(SELECT, "a number"), At(STRATEGY, "chooses the interval itself")]
        why = "DeepSpeed stops with a warning that the number would be overwritten"
        yield _error(case, "chooses the interval itself", places, why, put(case, STRATEGY, "step"), drop(case, SELECT))
    if strategy in ("step", "epoch") and select == AUTO:
        places = [At(STRATEGY, "counts"), At(SELECT, "no number")]
        why = "only the strategy `auto` finds the interval itself"
        fits = put(case, SELECT, max(update, 4) if isinstance(update, int) else 4)
        yield _error(case, "needs a number for `select_interval`", places, why, fits, put(case, STRATEGY, AUTO))
    if strategy == "step" and isinstance(select, int) and isinstance(update, int) and 0 < select < update:
        places = [At(SELECT, f"every {select} steps"), At(UPDATE, f"every {update} steps")]
        why = f"what is selected every {select} steps would be updated every {update}"
        fixes = (put(case, SELECT, update), put(case, UPDATE, select))
        yield _error(case, "selects more often than it updates", places, why, *fixes)


def _chosen(case: Case, dotted: str) -> str | int | None:
    """A strategy or interval: ``auto`` is one of its own words here."""
    entry = case.config.get(path_of(dotted))
    if entry is None:
        return AUTO
    return entry.value if isinstance(entry.value, str) else case.integer(dotted)


def _accumulation(case: Case) -> Iterator[Diagnostic]:
    """``update_interval`` takes the place of ``gradient_accumulation_steps``."""
    steps, update = case.integer(STEPS), _chosen(case, UPDATE)
    if not case.written(STEPS) or steps is None or steps <= 1 or steps == update or update is None:
        return
    said = f"every {update} steps" if isinstance(update, int) else "found while training"
    select, interval = _chosen(case, SELECT), put(case, UPDATE, steps)
    rare = isinstance(select, int) and select < steps
    yield case.error(
        "CFG575",
        f"ZenFlow overrides `{STEPS}`",
        [At(STEPS, "is overwritten"), At(UPDATE, said)],
        (f"DeepSpeed puts `{UPDATE}` in its place when it builds the engine, after the batch size was computed",),
        *told([both(interval, put(case, SELECT, steps)) if rare else interval, put(case, STEPS, 1)]),
    )


def _error(case: Case, what: str, places: list[At], why: str, *remedies: Remedy) -> Diagnostic:
    return case.error("CFG575", f"ZenFlow {what}", places, (why,), *told(remedies))


RULES = (zenflow_is_possible,)
