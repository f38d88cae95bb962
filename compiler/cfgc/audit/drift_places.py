"""Where in a file a finding of ``cfgc build --check`` shows, for programs that put it beside a line."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from cfgc.audit.bundle_on_disk import MANIFEST
from cfgc.audit.drift import Drift, FileDrift
from cfgc.diagnostics import Diagnostic, Label
from cfgc.source import SourceFile, Span

Place: TypeAlias = tuple[Path, int]
"""A file and a line of it."""

_HUNK: Final = re.compile(r"@@ -(\d+)")
_NOT_EDITED: Final = frozenset({"stale", "missing"})


def finding_at(place: Place | None, finding: Diagnostic) -> Diagnostic:
    """``finding`` with ``place``, where it has none of its own."""
    if place is None or finding.primary:
        return finding
    path, line = place
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    source = SourceFile(str(path), text)
    start = source.line_starts[min(line, len(source.line_starts)) - 1]
    return replace(finding, primary=Label(Span(source, start, start)))


def manifest_of(directory: Path) -> Place | None:
    """Where the bundle says what it is; None where it does not."""
    path = directory / MANIFEST
    return (path, 1) if os.path.isfile(path) else None  # noqa: PTH113 - False too where it cannot be looked at


def edited_place(drift: Drift) -> Place | None:
    """The first file that somebody edited, at the first line that differs; None when none was."""
    for one in drift.files:
        if one.how not in _NOT_EDITED:
            return drift.directory / one.path, _line_of(one)
    return None


def _line_of(one: FileDrift) -> int:
    for number, line in enumerate(one.lines):
        if found := _HUNK.match(line):
            context = next((at for at, text in enumerate(one.lines[number + 1 :]) if not text.startswith(" ")), 0)
            return max(int(found[1]) + context, 1)
    return 1
