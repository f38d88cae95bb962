"""All that is to say of a ds_config: its keys by the table, then what they mean together by the rules."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from cfgc.deepspeed.as_read import as_read
from cfgc.deepspeed.rules import RULES
from cfgc.deepspeed.structure import MOST, structural_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgc.deepspeed.case import Case
    from cfgc.deepspeed.config import Path
    from cfgc.deepspeed.structure.wording import Finding
    from cfgc.diagnostics import Diagnostic

_ABOUT_VALUES = ("CFG550", "CFG559")


def judge_config(case: Case) -> tuple[Diagnostic, ...]:
    """Every finding, by place.

    One mistake is one finding: a key with an error of its own is none of the rules', and where a rule has an error,
    a warning about the key alone is left out.
    """
    structural = structural_findings(case)
    wrong = [finding.path for finding in structural if finding.path and finding.diagnostic.severity == "error"]
    settled = _places(case, wrong)
    ruled = [d for d in _ruled(case, structural, wrong) if _start(d) not in settled]
    stopped = {_start(d) for d in ruled if d.severity == "error"}
    single = [finding.diagnostic for finding in structural]
    found = [d for d in single if d.severity == "error" or d.code not in _ABOUT_VALUES or _start(d) not in stopped]
    return tuple(sorted((*found, *ruled), key=lambda d: (_start(d) or 0, d.code)))


def _ruled(case: Case, structural: Sequence[Finding], wrong: list[Path]) -> list[Diagnostic]:
    """What the rules say when keys stand where they were meant to.

    Of keys that are not read as they are written, no rule warns.
    """
    moved = _meant_elsewhere(case, structural)
    ruled = _findings(as_read(case, wrong, moved))
    if not moved:
        return ruled
    before = {d.message for d in _findings(as_read(case, wrong))}
    return [d for d in ruled if d.severity == "error" or d.message in before]


def _findings(case: Case) -> list[Diagnostic]:
    return [found for rule in RULES for found in islice(rule(case), MOST)]


def _meant_elsewhere(case: Case, structural: Sequence[Finding]) -> dict[Path, Path]:
    """The keys of a file that a finding would move into a section that is there, with where to."""
    if case.config.home:
        return {}
    found = [(f.path, f.diagnostic.fixes[0].edits) for f in structural if f.path and f.diagnostic.fixes]
    moved = {path: edits[0].to for path, edits in found if len(edits) == 1 and edits[0].action == "move"}
    into = {path: tuple(map(str, to)) for path, to in moved.items()}
    into |= {path: path[:-1] for path, edits in found if path[-1:] == path[-2:-1] and edits[0].action == "set"}
    return {
        path: to
        for path, to in into.items()
        if case.config.entries[path].edited in ((), path)
        and (len(to) == 1 or case.config.get(to[:-1]) is not None)
        and list(into.values()).count(to) == 1
    }


def _start(finding: Diagnostic) -> int | None:
    return finding.primary.span.start if finding.primary else None


def _places(case: Case, wrong: list[Path]) -> set[int]:
    """Where the keys that are wrong begin."""
    spans = [entry.key or entry.span for path in wrong if (entry := case.config.get(path))]
    return {span.start for span in spans if span}
