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
_TRUTH = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}


def parse_value(source: SourceFile, key: str, equals: int) -> Document:
    """The value right of the ``=`` at ``equals``, under the key ``x``. Raises ``Rejected`` when it is neither."""
    right = source.text[equals + 1 :]
    span = _trimmed(source, equals + 1)
    if not right.strip():
        raise Rejected([errors.no_value(span, key)])
    try:
        tree = tomllib.loads(f"x={right}")
    except (ValueError, RecursionError) as error:
        return _bare_word(span, key, str(error))
    if len(tree) > 1 or ("\n" in right.strip() and not right.strip().startswith(('"""', "'''", "[", "{"))):
        raise Rejected([errors.not_a_value(span, key, "an override gives one key")])
    if isinstance(tree["x"], date | time):
        return _text(span)
    padded = SourceFile(source.logical, "x".ljust(equals) + "=" + right)
    try:
        return parse_document(padded)
    except Rejected as rejected:
        raise Rejected(errors.moved(rejected.diagnostics, source)) from None


def _bare_word(span: Span, key: str, complaint: str) -> Document:
    word = span.text
    if word.lower() in _NOTHING:
        raise Rejected([errors.nothing_word(span, key)])
    if word.lower() in _TRUTH and word not in {"on", "off", "yes", "no"}:
        raise Rejected([errors.python_word(span, key, _TRUTH[word.lower()])])
    if word[0] in "\"'[{":
        raise Rejected([errors.not_a_value(span, key, _reason(complaint), _quoted_list(word))])
    if _number(word) is not None:
        raise Rejected([errors.python_word(span, key, str(_number(word)))])
    if _COMMA_LIST.fullmatch(word):
        raise Rejected([errors.comma_list(span, key, f"[{', '.join(map(_element, word.split(',')))}]")])
    if any(ord(character) < 32 or ord(character) == 127 for character in word):
        raise Rejected([errors.not_a_value(span, key, "a bare word holds no control characters")])
    return _text(span)


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


def _reason(complaint: str) -> str:
    what = complaint.partition(" (at ")[0]
    return what[:1].lower() + what[1:]
