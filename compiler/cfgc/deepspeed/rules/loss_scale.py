"""The loss scale of fp16."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, path_of
from cfgc.deepspeed.config import AUTO
from cfgc.deepspeed.rules.facts import STAGE, flag_at, precision_at, precision_of, stage_at, stage_of, written_keys
from cfgc.deepspeed.rules.optimizer_classes import ONE_BIT, TESTED, built, optimizer_name
from cfgc.deepspeed.rules.remedy import both, drop, listed, put, told
from cfgc.deepspeed.rules.retyping import UNTESTED
from cfgc.deepspeed.targets import ZEROS_ALONE
from cfgc.deepspeed.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix

DYNAMIC: dict[str, tuple[int, int, str]] = {
    "loss_scale_window": (1, 1000, "the step is divided by it (ZeroDivisionError when it is 0)"),
    "min_loss_scale": (1, 1, "the scale could fall to 0, where every gradient vanishes"),
    "hysteresis": (1, 2, "the scale would never be lowered, and every step that overflows is skipped"),
    "initial_scale_power": (0, 16, "a scale below 1 makes gradients smaller, not larger"),
}
"""The least number that works, a usual one, and what a smaller one does (``fp16/loss_scaler.py``)."""

SCALE, LEAST = "fp16.loss_scale", "fp16.min_loss_scale"
POWER, FASTEST, LARGEST = "fp16.initial_scale_power", 64, 1023
"""The first scale is 2 to the power: above 2**64 the first steps only halve it, 2**1024 is no float."""

OTHERWISE_SCALED = ("torch_autocast.enabled", "autotuning.enabled")
"""torch's own scaler multiplies the loss; the autotuner gives the file a stage."""


def dynamic_scale_works(case: Case) -> Iterator[Diagnostic]:
    """CFG571: a dynamic loss scale can be raised and lowered."""
    on = _is_dynamic(case)
    for name, (least, usual, why) in DYNAMIC.items():
        key = f"fp16.{name}"
        value = case.integer(key)
        if not case.written(key) or value is None or value >= least or (on is False and value >= 0):
            continue
        said = case.error if on else case.warning
        yield said(
            "CFG571",
            f"a dynamic loss scale needs `{key}` of at least {least}",
            [At(key, str(value)), *([At(SCALE, "0 is a dynamic scale")] if on else ())],
            (why,),
            *told([put(case, key, usual)]),
        )


def _is_dynamic(case: Case) -> bool | None:
    """Whether DeepSpeed finds the scale itself; None when accelerate or transformers decide."""
    if not _may_be_on(case):
        return False
    entry = case.config.get(path_of(SCALE))
    if entry is not None and entry.value == AUTO:
        return None
    return (case.number(SCALE) or 0) == 0


def _may_be_on(case: Case) -> bool:
    """Whether fp16 is on; with ``auto`` it is wherever somebody reads the section."""
    switch = case.config.get(("fp16", "enabled"))
    return switch is not None and (switch.value is True or switch.value == AUTO)


def first_scale_is_reached(case: Case) -> Iterator[Diagnostic]:
    """CFG571: the first scale is one that gradients can have."""
    power = case.integer(POWER) if case.written(POWER) else None
    if power is None or power <= FASTEST:
        return
    said = case.error if power > LARGEST and _is_dynamic(case) else case.warning
    yield said(
        "CFG571",
        f"a loss scale of 2 to the power of {power:,} overflows",
        [At(POWER, "usually 16")],
        ("2 to the power of 1024 is no number; from above 64, every step is skipped until it is halved often enough",),
        *told([put(case, POWER, 16)]),
    )


def least_scale_is_reached(case: Case) -> Iterator[Diagnostic]:
    """CFG571: the scale starts above the least one."""
    power, least = case.integer(POWER), case.integer(LEAST)
    if power is None or least is None or _is_dynamic(case) is not True:
        return
    if not 0 <= power <= LARGEST or least <= 2**power:
        return
    places = [At(LEAST, "the least one"), At(POWER, f"starts at 2 to the power of {power}")]
    yield case.error(
        "CFG571",
        "the loss scale starts below its least value",
        places if case.written(LEAST) else places[::-1],
        ("an overflow raises the scale to the least one, where the next one ends a run with ZeRO",),
        *told([put(case, LEAST, 1), put(case, POWER, max(16, (least - 1).bit_length()))]),
    )


def fixed_scale_is_all(case: Case) -> Iterator[Diagnostic]:
    """CFG530: a fixed scale is never raised or lowered. Defaults that are written out are no mistake."""
    scale = case.number(SCALE)
    if scale is None or scale <= 0 or not case.written(SCALE) or not _may_be_on(case):
        return
    unread = [key for key in map("fp16.{}".format, (*DYNAMIC, "consecutive_hysteresis")) if _is_another(case, key)]
    if not unread:
        return
    yield case.warning(
        "CFG530",
        f"{listed(map(leaf, unread))} of `fp16` {'has' if len(unread) == 1 else 'have'} no effect: the scale is fixed",
        [*(At(key, "has no effect") for key in unread), At(SCALE, "every loss is multiplied with it")],
        ("only a `loss_scale` of 0 is raised and lowered",),
        *told([drop(case, *unread), put(case, SCALE, 0)]),
    )


def _is_another(case: Case, key: str) -> bool:
    """Whether a value is written that is neither the default nor out of range."""
    known = case.release.key(path_of(key))
    value = case.value(key)
    if known is None or not case.written(key) or value is None or value == known.default:
        return False
    number = case.integer(key)
    return value is True if number is None else number >= 0


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


def loss_is_scaled(case: Case) -> Iterator[Diagnostic]:
    """CFG517: what gradients are divided by, the loss was multiplied with.

    A warning: a program that only evaluates loses nothing, and no file says what the program does.
    """
    if precision_of(case) != "fp16" or stage_of(case) != 0 or case.device == "cpu" or not case.since(ZEROS_ALONE):
        return
    if case.number(SCALE) in (None, 1) or any(flag_at(case, key) is not False for key in OTHERWISE_SCALED):
        return
    yield case.warning(
        "CFG517",
        f"DeepSpeed {case.release.version} does not scale the loss of fp16 without ZeRO",
        [precision_at(case), stage_at(case), *([At(SCALE)] if case.written(SCALE) else ())],
        (
            f"since {ZEROS_ALONE} ZeRO's optimizers alone get a loss that was multiplied; others divide all the same",
            f"gradients are divided by {_divisor(case)}: they are never clipped, and many are less than Adam's `eps`",
        ),
        *_with_zero(case),
    )


def _divisor(case: Case) -> str:
    scale, power = case.number(SCALE), case.integer(POWER)
    if scale:
        return f"{scale:,.12g}"
    return f"{2**power:,} at first" if power is not None and 0 <= power <= FASTEST else "the scale"


def _with_zero(case: Case) -> tuple[tuple[str, ...], tuple[Fix, ...]]:
    """ZeRO-1, and the word that ZeRO needs for an optimizer that it was not tested with."""
    if optimizer_name(case) in ONE_BIT:
        return ("take an optimizer that works with ZeRO, or DeepSpeed 0.18.2",), ()
    asked, made = put(case, STAGE, 1), built(case)
    if made is not None and made.name not in TESTED and not case.flag(UNTESTED):
        asked = both(asked, put(case, UNTESTED, True))
    return told([asked])


RULES = (
    loss_scale_has_fp16,
    loss_is_scaled,
    dynamic_scale_works,
    first_scale_is_reached,
    least_scale_is_reached,
    fixed_scale_is_all,
)
