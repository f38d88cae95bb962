"""The loss scale of fp16."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.config import AUTO
from cfgc.deepspeed.rules.facts import (
    flag_at,
    written_keys,
)
from cfgc.deepspeed.rules.remedy import drop, listed, put, told
from cfgc.deepspeed.rules.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

DYNAMIC: dict[str, tuple[int, int, str]] = {
    "loss_scale_window": (1, 1000, "the step is divided by it (ZeroDivisionError when it is 0)"),
    "min_loss_scale": (1, 1, "the scale could fall to 0, where every gradient vanishes"),
    "hysteresis": (1, 2, "the scale would never be lowered, and every step that overflows is skipped"),
    "initial_scale_power": (0, 16, "a scale below 1 makes gradients smaller, not larger"),
}
"""The least number that works, a usual one, and what a smaller one does (``fp16/loss_scaler.py``)."""

POWER, FASTEST, LARGEST = "fp16.initial_scale_power", 64, 1023
"""The first scale is 2 to the power: above 2**64 the first steps only halve it, 2**1024 is no float."""


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
            [At(key, str(value)), *([At("fp16.loss_scale", "0 is a dynamic scale")] if on else ())],
            (why,),
            *told([put(case, key, usual)]),
        )


def _is_dynamic(case: Case) -> bool | None:
    """Whether DeepSpeed finds the scale itself; None when accelerate or transformers decide."""
    switch, scale = case.config.get(("fp16", "enabled")), case.config.get(("fp16", "loss_scale"))
    if (switch and switch.value == AUTO) or (scale and scale.value == AUTO):
        return None
    return flag_at(case, "fp16.enabled") is True and (case.number("fp16.loss_scale") or 0) == 0


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


RULES = (loss_scale_has_fp16, dynamic_scale_works, first_scale_is_reached)
