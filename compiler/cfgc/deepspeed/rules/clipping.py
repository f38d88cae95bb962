"""The bound of the gradient norm, and the places where it does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case, path_of
from cfgc.deepspeed.rules.optimizer_classes import PARAMS, built
from cfgc.deepspeed.rules.parameters import CLIPPING
from cfgc.deepspeed.wording import pair
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

KEY = "gradient_clipping"
LARGEST = 100.0
"""Gradient norms of transformers are of the order of 1; a bound this far above never acts in time."""


def clipping_is_in_one_place(case: Case) -> Iterator[Diagnostic]:
    """CFG590: the bound is `gradient_clipping` of the top level, not a parameter of the optimizer."""
    made = built(case)
    for name, entry in case.config.below(("optimizer", "params")):
        known = made.takes if made else frozenset()
        if name not in CLIPPING or name in known:
            continue
        dotted = f"{PARAMS}.{name}"
        usable = not case.written(KEY) and isinstance(entry.value, int | float) and not isinstance(entry.value, bool)
        moved = usable and entry.value >= 0
        help_ = (
            f"write {pair(KEY, entry.value)} at the top level, and leave `{name}` out here"
            if moved
            else f"leave `{name}` out"
        )
        yield case.error(
            "CFG590",
            f"gradients are clipped by `{KEY}`, not by `{dotted}`",
            [At(dotted, "not taken"), At(KEY, "clips")],
            ("the optimizer stops with an error when it is built",),
            (help_,),
            (Fix((case.move(dotted, KEY) if moved else case.drop(dotted),), certain=moved),),
        )


def clipping_acts(case: Case) -> Iterator[Diagnostic]:
    """CFG428: a bound on the gradient norm is one that can be reached."""
    bound = case.number(KEY) if case.written(KEY) else None
    if bound is None or bound <= LARGEST or path_of(KEY) not in case.config.entries:
        return
    yield case.warning(
        "CFG428",
        f"clipping at a gradient norm of {bound:g} hardly ever acts",
        [At(KEY, "norms are around 1")],
        (),
        (f"write {pair(KEY, 1.0)}, or {pair(KEY, 0)} to say that nothing is clipped",),
        (Fix((case.set(KEY, 1.0),)),),
    )


RULES = (clipping_is_in_one_place, clipping_acts)
