"""The order in which diagnostics are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cfgc.diagnostics import Diagnostic


def in_text_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """``found`` file by file, in the order in which the files first appear, and down each file."""
    listed = list(found)
    files: dict[str, int] = {}
    for diagnostic in listed:
        if diagnostic.primary:
            files.setdefault(diagnostic.primary.span.source.logical, len(files))
    return sorted(listed, key=lambda diagnostic: _rank(diagnostic, files))


def _rank(diagnostic: Diagnostic, files: Mapping[str, int]) -> tuple[int, int]:
    """Overrides are one source each: only their own order counts."""
    if diagnostic.primary is None:
        return -1, 0
    span = diagnostic.primary.span
    one_line = span.source.logical == "command line"
    return files[span.source.logical], 0 if one_line else span.start
