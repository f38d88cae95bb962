"""What the load phase says about `unset` and `append`."""

from __future__ import annotations

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load import mending
from cfgc.origin import Path, Value, dotted
from cfgc.source import Span


def unset_not_a_list(value: Value, span: Span) -> Diagnostic:
    """CFG111: ``unset`` takes a list of dotted keys."""
    shown = f'["{value}"]' if isinstance(value, str) else '["training.scheduler"]'
    return Diagnostic(
        "CFG111",
        "`unset` takes a list of dotted keys",
        Label(span),
        helps=(f"write `unset = {shown}`",) if isinstance(value, str) else (f"remove it, or write `unset = {shown}`",),
        fixes=mending.setting(span, [value], certain=True) if isinstance(value, str) else mending.removing(span),
    )


def not_a_key(value: Value, span: Span) -> Diagnostic:
    """CFG111: an entry of ``unset`` or ``append`` that is no key."""
    return Diagnostic(
        "CFG111",
        f"`{value}` is not a dotted key" if isinstance(value, str) else "this is not a dotted key",
        Label(span),
        helps=('remove it; a key looks like `"training.scheduler.type"`',),
        fixes=mending.removing(span),
    )


def append_not_an_array(path: Path, span: Span) -> Diagnostic:
    """CFG111: ``append`` takes keys with arrays."""
    key = dotted(path) or "data.sources"
    return Diagnostic(
        "CFG111",
        "`append` takes dotted keys, each with an array of what to add",
        Label(span),
        helps=(f'remove it, or write `append."{key}" = [ … ]`',),
        fixes=mending.removing(span),
    )
