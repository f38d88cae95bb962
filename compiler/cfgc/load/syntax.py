"""What is wrong where a text is not TOML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cfgc.diagnostics import Diagnostic
from cfgc.load import syntax_errors
from cfgc.load.spans import first_repeat, last_key
from cfgc.lookalike import as_ascii, odd_character
from cfgc.source import SourceFile, Span

_POSITION = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_TOKEN = re.compile(r"[^\s,\[\]{}#=\"']+|.", re.DOTALL)
_VALUE = re.compile(r"""[^\s,\[\]{}#="']*""")
_AGAIN = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate inline")

_WORDS = {"True": "true", "False": "false", "yes": "true", "no": "false", "on": "true", "off": "false"}
_NOTHING = {"null", "None", "nil", "~", "Null", "NULL"}


def syntax_error(source: SourceFile, message: str) -> Diagnostic:
    """The diagnostic of what ``tomllib`` said: ``Invalid value (at line 1, column 5)``."""
    found = _POSITION.fullmatch(message)
    if found is None:
        return syntax_errors.not_toml(Span(source, 0, 0), message)
    what, line, column = found.groups()
    if what.startswith(_AGAIN):
        return _written_twice(source, int(line) if line else None)
    if line is None:
        return _unfinished(source)
    return _broken(source, what, place_at(source, int(line), int(column)))


def place_at(source: SourceFile, line: int, column: int) -> Span:
    """The word that starts at ``line`` and ``column``, both 1-based."""
    start = min(source.line_starts[min(line, len(source.line_starts)) - 1] + column - 1, len(source.text))
    token = _TOKEN.match(source.text, start)
    return Span(source, start, token.end() if token and not token.group().isspace() else start)


def _written_twice(source: SourceFile, line: int | None) -> Diagnostic:
    starts = source.line_starts
    end = starts[line] if line is not None and line < len(starts) else len(source.text)
    repeat = first_repeat(source.text[:end])
    if repeat is None:
        return syntax_errors.not_toml(_last_line(source, end), "a key or table is written twice")
    name = tuple(part for part in repeat.location if isinstance(part, str))
    return syntax_errors.written_twice(name, Span(source, *repeat.again), Span(source, *repeat.first))


def _unfinished(source: SourceFile) -> Diagnostic:
    """The text ends inside a value or header: what counts is where that one begins."""
    key = last_key(source.text)
    if key is None:
        return syntax_errors.not_toml(_last_line(source, len(source.text)), "the text ends too early")
    rest = source.text[key[1] :].lstrip(" \t")
    span = Span(source, *key)
    if not rest.startswith("="):
        return syntax_errors.not_toml(span, "the header has no closing bracket", ("write `[section]`",))
    if not rest.removeprefix("=").strip():
        return syntax_errors.not_toml(
            span, f"`{span.text}` has no value", (f"remove `{span.text} =`, or write a value",)
        )
    return syntax_errors.not_toml(span, f"the value of `{span.text}` does not end", ("close its quote or bracket",))


_BROKEN: Sequence[tuple[str, str, str]] = (
    ("Unescaped", "this is no escape sequence", "double the `\\`, or quote the text with `'`"),
    ("Invalid hex value", "this is no escape sequence", "write `\\u` and four hexadecimal digits"),
    ("Escaped character is not", "this is no character", "leave out half of a surrogate pair"),
    ("Unclosed array", "the array is not closed", "close it with `]`, or put the comma between its elements"),
    ("Unclosed inline table", "the table is not closed", "close it with `}`, on the same line"),
    ("Expected newline", "something follows the value", "one line holds one `key = value`"),
    (
        "Illegal character",
        "a line break or control character in one-line quotes",
        "use three quotes, or an escape (`\\n`)",
    ),
    (
        "Invalid initial character for a key part",
        "a key is expected here",
        "an inline table stands on one line, without a comma at its end; a `[section]` may take many lines",
    ),
)
"""How ``tomllib`` begins, what it means, and what to do."""


def _broken(source: SourceFile, what: str, at: Span) -> Diagnostic:
    """A word or character that cannot stand where it does."""
    odd = _odd(source, what, at)
    if odd:
        return odd
    if what.startswith("Expected '=' after a key"):
        return syntax_errors.not_toml(at, "`=` is missing after the key", _equals_help(source, at))
    word = _word_around(source, at)
    if what == "Invalid value" or (what.startswith("Expected newline") and word.start < at.start < word.end):
        if not word.text or word.text.startswith("#"):
            return syntax_errors.not_toml(at, "there is no value behind the `=`", ("write one, or remove the line",))
        return syntax_errors.not_toml(word, f"`{word.text}` is no value", _value_help(word.text))
    for start, meaning, hint in _BROKEN:
        if what.startswith(start):
            return syntax_errors.not_toml(at, meaning, (hint,))
    return syntax_errors.not_toml(at, what[0].lower() + what[1:])


def _odd(source: SourceFile, what: str, at: Span) -> Diagnostic | None:
    """A character that looks like one that TOML has, where it stumbles over it; None for any other."""
    first = Span(source, at.start, at.start + 1)
    said = odd_character(_word_around(source, at).text if what == "Invalid value" else first.text)
    if said is None:
        return None
    word = first if first.text.isspace() else _word_around(source, at)
    plain = as_ascii(word.text)
    write = f"write `{plain}`" if plain.strip() and plain.isascii() else "write a plain space, or nothing"
    return syntax_errors.not_toml(word, said, (write if plain.isascii() else "keys of other letters are quoted",))


def _equals_help(source: SourceFile, at: Span) -> tuple[str, ...]:
    line = source.line_text(at.line)
    separated = re.match(r"\s*([\w.-]+)\s*:\s*(.+)", line)
    return (f"write `{separated.group(1)} = {separated.group(2)}`",) if separated else ("write `key = value`",)


def _value_help(word: str) -> tuple[str, ...]:
    if word in _WORDS:
        return (f"write `{_WORDS[word]}`",)
    if word in _NOTHING:
        return ("TOML has no such value: leave the key out, or list it in `unset`",)
    try:
        return (f"write `{float(word) if '.' in word else int(word)}`",)
    except ValueError:
        return (f'a text is quoted: `"{word}"`',) if word else ()


def _word_around(source: SourceFile, at: Span) -> Span:
    """The whole bare word that holds ``at``: from the ``=``, bracket, comma or space before it."""
    start = at.start
    while start > 0 and _VALUE.fullmatch(source.text[start - 1]):
        start -= 1
    found = _VALUE.match(source.text, start)
    return Span(source, start, found.end() if found and found.end() > start else at.end)


def _last_line(source: SourceFile, end: int) -> Span:
    text = source.text[:end].rstrip()
    start = text.rfind("\n") + 1
    return Span(source, start, len(text))
