"""All that is to say of a ds_config: its keys by the table, then what they mean together by the rules."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from cfgc.deepspeed.as_read import as_read
from cfgc.deepspeed.rules import RULES
from cfgc.deepspeed.structure import MOST, structural_findings

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.deepspeed.config import Path
    from cfgc.diagnostics import Diagnostic

_ABOUT_VALUES = ("CFG550", "CFG559")


def judge_config(case: Case) -> tuple[Diagnostic, ...]:
    """Every finding, by place.

    One mistake is one finding: a key with an error of its own is none of the rules', and where a rule has an error,
    a warning about the key alone is left out.
    """
    structural = structural_findings(case)
    wrong = [finding.path for finding in structural if finding.path and finding.diagnostic.severity == "error"]
    understood = as_read(case, wrong)
    settled = _places(case, wrong)
    ruled = [d for rule in RULES for d in islice(rule(understood), MOST) if _start(d) not in settled]
    stopped = {_start(d) for d in ruled if d.severity == "error"}
    single = [finding.diagnostic for finding in structural]
    found = [d for d in single if d.severity == "error" or d.code not in _ABOUT_VALUES or _start(d) not in stopped]
    return tuple(sorted((*found, *ruled), key=lambda d: (_start(d) or 0, d.code)))


def _start(finding: Diagnostic) -> int | None:
    return finding.primary.span.start if finding.primary else None


def _places(case: Case, wrong: list[Path]) -> set[int]:
    """Where the keys that are wrong begin."""
    spans = [entry.key or entry.span for path in wrong if (entry := case.config.get(path))]
    return {span.start for span in spans if span}
