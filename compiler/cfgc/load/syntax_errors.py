"""What the load phase says about the text of a file."""

from __future__ import annotations

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load import mending
from cfgc.origin import Path, dotted
from cfgc.source import SourceFile, Span


def not_utf8(source: SourceFile, what: str, offset: int) -> Diagnostic:
    """CFG103: bytes that are not plain UTF-8."""
    return Diagnostic(
        "CFG103",
        f"`{source.logical}` is not plain UTF-8",
        Label(Span(source, offset, offset + 1), what),
        helps=("save the file as UTF-8 without a byte order mark",),
    )


def not_toml(span: Span, what: str, helps: tuple[str, ...] = ()) -> Diagnostic:
    """CFG104: the text breaks TOML's grammar."""
    return Diagnostic("CFG104", f"this is not TOML: {what}", Label(span), helps=helps)


def written_twice(path: Path, again: Span, first: Span) -> Diagnostic:
    """CFG105: one file gives a key or table two times."""
    return Diagnostic(
        "CFG105",
        f"`{dotted(path)}` is written twice in one file",
        Label(again, "again here"),
        (Label(first, "first written here"),),
        helps=("keep one of the two; a value that replaces another one belongs in a base's child or an overlay",),
    )


def nested_too_deeply(span: Span, limit: int) -> Diagnostic:
    """CFG106: more levels than any spec has."""
    message = f"tables and arrays are nested more than {limit} levels deep"
    return Diagnostic("CFG106", message, Label(span), helps=("no key of the schema needs more than 6 levels",))


def not_finite(span: Span) -> Diagnostic:
    """CFG107: nan or inf."""
    return _unfit(span, f"`{span.text}` is not a finite number", "leave the key out, or write a finite number")


def integer_too_large(span: Span) -> Diagnostic:
    """CFG107: an integer that TOML's 64 bits cannot hold."""
    return _unfit(
        span, "this integer does not fit in 64 bits", f"leave the key out; the largest integer is {2**63 - 1}"
    )


def number_too_long(source: SourceFile) -> Diagnostic:
    """CFG107: an integer of thousands of digits."""
    return integer_too_large(_longest_number(source))


def _unfit(span: Span, message: str, hint: str) -> Diagnostic:
    return Diagnostic("CFG107", message, Label(span), helps=(hint,), fixes=mending.removing(span))


def _longest_number(source: SourceFile) -> Span:
    words = source.text.replace("\n", " ").split(" ")
    longest = max(words, key=lambda word: sum(c.isdigit() for c in word))
    start = source.text.find(longest)
    return Span(source, start, start + len(longest))
