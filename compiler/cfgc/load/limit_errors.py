"""What the load phase says about more than any spec has."""

from __future__ import annotations

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load.raw import MAX_BYTES
from cfgc.source import SourceFile, Span

_FILE_LIMIT = f"a file of a spec has at most {MAX_BYTES:,} bytes"


def file_too_large(logical: str, size: str, asked: Span | None) -> Diagnostic:
    """CFG128: a file that nobody wrote as a spec."""
    return too_much(f"`{logical}` is not read: {size}", Label(asked, "asked for here") if asked else None, _FILE_LIMIT)


def too_many(source: SourceFile, has: str, limit: str) -> Diagnostic:
    """CFG128: a text that would take long to parse."""
    return too_much(f"`{source.logical}` has {has}", Label(Span(source, 0, 0)), limit)


def too_long_key(length: int, limit: int, span: Span) -> Diagnostic:
    """CFG128: a key that nobody typed."""
    return too_much(f"a key has {length:,} characters", Label(span), f"it has at most {limit}")


def too_many_entries(directive: str, count: int, limit: int, span: Span) -> Diagnostic:
    """CFG128: a directive that names more than anybody can follow."""
    message = f"`{directive}` has {count:,} entries"
    return too_much(message, Label(span), f"it takes at most {limit}")


def too_many_files(limit: int, span: Span) -> Diagnostic:
    """CFG128: bases and overlays without end."""
    return too_much(f"more than {limit} files make up this spec", Label(span), "each base and overlay counts once")


def too_many_mistakes(count: int, shown: int) -> Diagnostic:
    """CFG128: what follows from more mistakes than anybody makes."""
    return Diagnostic(
        "CFG128",
        f"{count:,} keys or values are refused",
        notes=(f"the first {shown} are explained, and rules are not applied",),
        helps=("check that this file is the spec",),
    )


def too_much(message: str, label: Label | None, limit: str) -> Diagnostic:
    """CFG128: more of something than any spec has."""
    return Diagnostic("CFG128", message, label, notes=(limit,))
