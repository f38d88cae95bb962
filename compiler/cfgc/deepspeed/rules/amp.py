"""Apex AMP, which ended with 0.19.7, and what it excludes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case
from cfgc.deepspeed.rules.facts import precision_at, precision_of, stage_at, stage_of
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic


def amp_is_alone(case: Case) -> Iterator[Diagnostic]:
    """CFG536: Apex AMP excludes ZeRO, fp16 and bf16."""
    known = case.release.key(("amp",))
    if known is None or known.refused or not case.flag("amp.enabled"):
        return
    casts, stage = precision_of(case) in ("fp16", "bf16"), stage_of(case)
    if not casts and not stage:
        return
    other = precision_at(case) if casts else stage_at(case)
    yield case.error(
        "CFG536",
        f"Apex AMP does not go with {'fp16 and bf16' if casts else 'ZeRO'}",
        [At("amp.enabled", "casts by itself"), other],
        ("DeepSpeed stops at the start; 0.19.8 has no AMP any more",),
        ("leave `amp` out; fp16 and bf16 of DeepSpeed work with ZeRO",),
        (Fix((case.drop("amp"),)),),
    )


RULES = (amp_is_alone,)
