"""What is wrong where a text is not TOML."""

from __future__ import annotations

import re

from cfgc.diagnostics import Diagnostic
from cfgc.load import errors
from cfgc.source import SourceFile, Span

_POSITION = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_TOKEN = re.compile(r"[^\s,\[\]{}#=\"']+|.", re.DOTALL)


def syntax_error(source: SourceFile, message: str) -> Diagnostic:
    """The diagnostic of what ``tomllib`` said: ``Invalid value (at line 1, column 5)``."""
    found = _POSITION.fullmatch(message)
    if found is None:
        return errors.not_toml(Span(source, 0, 0), message)
    what, line, column = found.groups()
    span = place_at(source, int(line), int(column)) if line else _end(source)
    return errors.not_toml(span, what[0].lower() + what[1:])


def place_at(source: SourceFile, line: int, column: int) -> Span:
    """The word that starts at ``line`` and ``column``, both 1-based."""
    start = min(source.line_starts[min(line, len(source.line_starts)) - 1] + column - 1, len(source.text))
    token = _TOKEN.match(source.text, start)
    return Span(source, start, token.end() if token and not token.group().isspace() else start)


def _end(source: SourceFile) -> Span:
    end = len(source.text.rstrip())
    return Span(source, max(0, end - 1), end)
