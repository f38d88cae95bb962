"""All that is to say of a ds_config: its keys by the table, then what they mean together by the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.deepspeed.as_read import as_read
from cfgc.deepspeed.rules import RULES
from cfgc.deepspeed.structure import structural_findings

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.deepspeed.config import Path
    from cfgc.diagnostics import Diagnostic


def judge_config(case: Case) -> tuple[Diagnostic, ...]:
    """Every finding, by place. One mistake is one finding: a key with an error of its own is none of the rules'."""
    structural = structural_findings(case)
    wrong = [finding.path for finding in structural if finding.path and finding.diagnostic.severity == "error"]
    understood = as_read(case, wrong)
    places = _places(case, wrong)
    ruled = [d for rule in RULES for d in rule(understood) if not (d.primary and d.primary.span.start in places)]
    found = [*(finding.diagnostic for finding in structural), *ruled]
    return tuple(sorted(found, key=lambda d: (d.primary.span.start if d.primary else 0, d.code)))


def _places(case: Case, wrong: list[Path]) -> set[int]:
    """Where the keys that are wrong begin."""
    spans = [entry.key or entry.span for path in wrong if (entry := case.config.get(path))]
    return {span.start for span in spans if span}
