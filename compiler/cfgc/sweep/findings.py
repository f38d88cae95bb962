"""What is wrong with points, said once for all of those that it is the same of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from cfgc.diagnostics import Diagnostic
from cfgc.diagnostics.model import Edit
from cfgc.load.limit_errors import too_many_mistakes
from cfgc.origin import dotted
from cfgc.sweep.numbers import told

if TYPE_CHECKING:
    from cfgc.source import Span
    from cfgc.sweep.points import Point

MOST = 100
"""Different findings that are explained."""

_Key: TypeAlias = tuple[str, str, str, str, int, int]


@dataclass
class Findings:
    """Collects what points have to say."""

    points: Sequence[Point]
    _first: dict[_Key, Diagnostic] = field(default_factory=dict)
    _which: dict[_Key, list[int]] = field(default_factory=dict)
    left_out: int = 0

    def add(self, index: int, findings: Iterable[Diagnostic]) -> None:
        """Point ``index`` has ``findings``."""
        for finding in findings:
            key = _key(finding, self.points[index])
            if key not in self._first and len(self._first) >= MOST:
                self.left_out += 1
                continue
            self._first.setdefault(key, finding)
            self._which.setdefault(key, []).append(index)

    def said(self) -> tuple[Diagnostic, ...]:
        """Each finding once, its message naming the points."""
        named = [self._named(finding, self._which[key]) for key, finding in self._first.items()]
        return (*named, *([too_many_mistakes(MOST + self.left_out, MOST)] if self.left_out else []))

    def _named(self, finding: Diagnostic, which: Sequence[int]) -> Diagnostic:
        shared = len(which) == len(self.points)
        fixes = tuple(fix for fix in finding.fixes if all(_fits(edit, shared) for edit in fix.edits))
        return replace(finding, message=f"{self._who(which)}: {finding.message}", fixes=fixes)

    def _who(self, which: Sequence[int]) -> str:
        if len(which) == 1:
            return self.points[which[0]].title
        if len(which) == len(self.points):
            return f"all {len(which):,} points"
        return f"{len(which):,} points ({told(which)})"


def _fits(edit: Edit, shared: bool) -> bool:
    """Whether it is right for the other points too: another value in a list is, and what all of them need."""
    return edit.action == "set" if edit.path[:1] == ("sweep",) else shared


def _key(finding: Diagnostic, point: Point) -> _Key:
    """What makes two findings one: any value of a parameter is the same place.

    Sources are compared by name, since those that come from another process are copies.
    """
    said = (finding.code, finding.severity, finding.message)
    if finding.primary is None:
        return *said, "", 0, 0
    span = finding.primary.span
    for setting in point.settings:
        if _holds(setting.span, span):
            return *said, dotted(setting.key), 0, 0
    return *said, span.source.logical, span.start, span.end


def _holds(outer: Span, inner: Span) -> bool:
    same = outer.source.logical == inner.source.logical
    return same and outer.start <= inner.start and inner.end <= outer.end
