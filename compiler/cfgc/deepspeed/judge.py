"""All that is to say of a ds_config: its keys by the table, then what they mean together by the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.deepspeed.rules import RULES

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic


def judge_config(case: Case) -> tuple[Diagnostic, ...]:
    """Every finding, by place."""
    found = [finding for rule in RULES for finding in rule(case)]
    return tuple(sorted(found, key=lambda d: (d.primary.span.start if d.primary else 0, d.code)))
