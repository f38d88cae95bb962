"""The right side of an override: a TOML value, or a bare word that is a text."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, time
from types import MappingProxyType

from cfgc.diagnostics import Rejected
from cfgc.load import override_errors as errors
from cfgc.load.document import Document, parse_document
from cfgc.load.spans import Place
from cfgc.source import SourceFile, Span

_COMMA_LIST = re.compile(r"[^,\s]+(?:\s*,\s*[^,\s]+)+")
_NOTHING = {"null", "none", "nil", "undefined"}


def parse_value(source: SourceFile, key: str, equals: int) -> Document:
    """The value right of the ``=`` at ``equals``, under the key ``x``. Raises ``Rejected`` when it is neither."""
    right = source.text[equals + 1 :]
    span = _trimmed(source, equals + 1)
    if not right.strip():
        raise Rejected([errors.no_value(span, key)])
    try:
        tree = tomllib.loads(f"x={right}")
    except (ValueError, RecursionError):
        tree = {}
    if not tree and span.text[0] not in "\"'[{" and not _unfit_integer(span.text):
        return _bare_word(span, key)
    if len(tree) > 1:
        raise Rejected([errors.several_lines(span, key)])
    if isinstance(tree.get("x"), date | time):
        return _text(span)
    padded = SourceFile(source.logical, "x".ljust(equals) + "=" + right)
    try:
        return parse_document(padded)
    except Rejected as rejected:
        raise Rejected(errors.in_override(rejected.diagnostics, span, key, _quoted_list(span.text))) from None


def _bare_word(span: Span, key: str) -> Document:
    word = span.text
    if word.lower() in _NOTHING:
        raise Rejected([errors.nothing_word(span, key)])
    if word.lower() in {"true", "false"}:
        raise Rejected([errors.python_word(span, key, word.lower())])
    number = _number(word)
    if number is not None:
        raise Rejected([errors.python_word(span, key, str(number))])
    if _COMMA_LIST.fullmatch(word):
        raise Rejected([errors.comma_list(span, key, f"[{', '.join(map(_element, word.split(',')))}]")])
    if any(ord(character) < 32 or ord(character) == 127 for character in word):
        raise Rejected([errors.several_lines(span, key)])
    return _text(span)


def _unfit_integer(word: str) -> bool:
    """An integer with more digits than Python reads."""
    return len(word) > 1_000 and word.lstrip("+-").isdecimal()


def _text(span: Span) -> Document:
    place = Place((span.start, span.end), (span.start, span.end))
    return Document(span.source, MappingProxyType({"x": span.text}), {("x",): place}, {})


def _trimmed(source: SourceFile, start: int) -> Span:
    right = source.text[start:]
    begin = start + len(right) - len(right.lstrip())
    return Span(source, begin, max(begin, start + len(right.rstrip())))


def _number(word: str) -> int | float | None:
    """What Python, but not TOML, reads as a number: ``.5``, ``1.``, ``007``."""
    for read in (int, float):
        try:
            return read(word)
        except ValueError:
            continue
    return None


def _quoted_list(word: str) -> str | None:
    """``[a, b]`` with its words quoted."""
    if not (word.startswith("[") and word.endswith("]")):
        return None
    return f"[{', '.join(_element(part) for part in word[1:-1].split(',') if part.strip())}]"


def _element(part: str) -> str:
    text = part.strip().strip("\"'")
    return text if _number(text) is not None or text in {"true", "false"} else json.dumps(text)
