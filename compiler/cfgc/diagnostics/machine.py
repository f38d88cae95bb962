"""Diagnostics for machines: JSON, and GitHub's workflow commands; secrets are masked in both."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cfgc.diagnostics.masking import masked
from cfgc.diagnostics.model import Diagnostic, Edit, Label
from cfgc.diagnostics.text import printable


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON array, one object a diagnostic; lines and columns count from 1, ends are exclusive.

    ``fixes`` has for each help that can be done its edits, the best first: ``action`` (``set``, ``remove``, ``move``),
    ``file``, the ``path`` of the key there, the ``value`` of a set and where ``to`` a move leads. ``certain`` ones are
    what ``--fix`` applies.
    """
    return json.dumps([_object(d) for d in masked(diagnostics)], indent=2, ensure_ascii=False, default=str) + "\n"


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One annotation a line, as GitHub Actions reads them."""
    return "".join(_annotation(d) + "\n" for d in masked(diagnostics))


def _object(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "primary": _place(diagnostic.primary) if diagnostic.primary else None,
        "secondary": [_place(label) for label in diagnostic.secondary],
        "notes": list(diagnostic.notes),
        "helps": list(diagnostic.helps),
        "fixes": [{"certain": fix.certain, "edits": [_edit(edit) for edit in fix.edits]} for fix in diagnostic.fixes],
    }


def _edit(edit: Edit) -> dict[str, object]:
    said: dict[str, object] = {"action": edit.action, "file": edit.source.logical, "path": list(edit.path)}
    if edit.action == "set":
        said["value"] = edit.value
    return {**said, "to": list(edit.to)} if edit.action == "move" else said


def _place(label: Label) -> dict[str, object]:
    span = label.span
    source = span.source
    end_line = source.line_of(span.end)
    return {
        "file": source.logical,
        "line": span.line,
        "column": span.column,
        "end_line": end_line,
        "end_column": span.end - source.line_starts[end_line - 1] + 1,
        "text": label.text,
    }


def _annotation(diagnostic: Diagnostic) -> str:
    properties = [f"title={_property(diagnostic.code)}"]
    if diagnostic.primary:
        span = diagnostic.primary.span
        properties = [f"file={_property(span.source.logical)}", f"line={span.line}", f"col={span.column}", *properties]
    text = "\n".join((diagnostic.message, *diagnostic.notes, *(f"help: {text}" for text in diagnostic.helps)))
    return f"::{diagnostic.severity} {','.join(properties)}::{_data(text)}"


def _data(text: str) -> str:
    visible = "\n".join(map(printable, text.split("\n")))
    return visible.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
