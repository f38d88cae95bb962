"""The loss scale of fp16."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At
from cfgc.deepspeed.rules.facts import (
    flag_at,
    written_keys,
)
from cfgc.deepspeed.rules.remedy import drop, listed, put, told
from cfgc.deepspeed.rules.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

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


RULES = (loss_scale_has_fp16, dynamic_scale_works)
