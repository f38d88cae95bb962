"""What the stages' compilations found, each finding once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cfgc.diagnostics import Diagnostic


def together(found: Iterable[Diagnostic], by_stage: dict[str, list[Diagnostic]], stages: int) -> Iterator[Diagnostic]:
    """Each finding once, with the stages that it is about."""
    names: dict[tuple[object, ...], list[str]] = {}
    first: dict[tuple[object, ...], Diagnostic] = {}
    for finding in found:
        first.setdefault(_key(finding), finding)
    own = set(first)
    for name, findings in by_stage.items():
        for finding in findings:
            first.setdefault(_key(finding), finding)
            names.setdefault(_key(finding), []).append(name)
    for key, finding in first.items():
        about = names.get(key, [])
        if key in own or not about:
            yield finding
        else:
            yield replace(finding, notes=(*finding.notes, _note(about, stages)))


def _note(names: list[str], stages: int) -> str:
    if len(names) == stages > 1:
        return "in every stage of the pipeline"
    return f"in the stage{'s' if len(names) > 1 else ''} {', '.join(f'`{name}`' for name in names)}"


def _key(finding: Diagnostic) -> tuple[object, ...]:
    span = finding.primary.span if finding.primary else None
    place = (span.source.logical, span.start, span.end) if span else ()
    return finding.code, finding.message, place
