"""What is said of a ds_config that cannot be read."""

from __future__ import annotations

from cfgc.diagnostics import Diagnostic, Label
from cfgc.source import SourceFile, Span


def unreadable(logical: str, reason: str, helps: tuple[str, ...] = ()) -> Diagnostic:
    """CFG540: there is no such file, or it can't be read."""
    return Diagnostic("CFG540", f"cannot read `{logical}`: {reason}", helps=helps)


def not_utf8(source: SourceFile, what: str, offset: int) -> Diagnostic:
    """CFG541: bytes that are no UTF-8."""
    return Diagnostic(
        "CFG541",
        f"`{source.logical}` is not plain UTF-8",
        Label(Span(source, offset, offset + 1), what),
        helps=("save the file as UTF-8 without a byte order mark",),
    )


def byte_order_mark(source: SourceFile) -> Diagnostic:
    """CFG541, a warning: DeepSpeed skips the mark, JSON readers do not."""
    return Diagnostic(
        "CFG541",
        f"`{source.logical}` is not plain UTF-8",
        Label(Span(source, 0, 1), "a byte order mark"),
        notes=("DeepSpeed skips it; accelerate and transformers read the file as JSON, which refuses it",),
        helps=("save the file as UTF-8 without a byte order mark",),
        severity="warning",
    )


def not_json(span: Span, what: str, helps: tuple[str, ...] = (), other: Label | None = None) -> Diagnostic:
    """CFG542: the text breaks the grammar of HJSON, and so of JSON."""
    return Diagnostic(
        "CFG542",
        f"this is neither JSON nor HJSON: {what}",
        Label(span),
        (other,) if other else (),
        helps=helps,
    )


def nested_too_deeply(span: Span, limit: int) -> Diagnostic:
    """CFG543: more levels than any ds_config has."""
    return Diagnostic(
        "CFG543",
        f"tables and arrays are nested more than {limit} levels deep",
        Label(span),
        helps=("no key of DeepSpeed needs more than 6 levels",),
    )


def not_a_table(source: SourceFile, what: str, span: Span | None) -> Diagnostic:
    """CFG545: the top level is something other than one table."""
    return Diagnostic(
        "CFG545",
        f"a ds_config is one table of keys, and `{source.logical}` {what}",
        Label(span) if span else None,
        helps=('the least that DeepSpeed takes is `{"train_micro_batch_size_per_gpu": 1}`',),
    )
