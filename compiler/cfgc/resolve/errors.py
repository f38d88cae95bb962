"""What the resolve phase says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load import mending
from cfgc.load.limit_errors import too_much
from cfgc.nearest import clearly_nearest, nearest
from cfgc.origin import Origin, Path, Value, dotted, kind_of
from cfgc.resolve.expression import ExpressionError, RefPath
from cfgc.resolve.order import Link
from cfgc.source import Span

MOST_SHOWN = 8
"""Keys of a circle that are named."""


SHELL = "task.inline"
"""The key whose value is a program, with ``${…}`` of its own."""

_OUT = "or leave the key out; what a lower layer says of it holds then, or its default"


def table_over_value(path: Path, key: Span | None, held: Origin) -> Diagnostic:
    """CFG201: a table where a lower layer has a value."""
    there = f"{kind_of(held.value)} from the {held.layer}"
    return _conflict(path, key, "written as a table here", held.key_span, there)


def value_over_table(path: Path, key: Span | None, table: Span) -> Diagnostic:
    """CFG201: a value where a lower layer has a table."""
    found = _conflict(path, key, "written as a value here", table, "a table here")
    fixes = mending.unbracketing(key) if key else ()
    help_ = f"write `[{dotted(path)}]`, in single brackets"
    return replace(found, helps=(help_,), fixes=fixes) if fixes else found


def _conflict(path: Path, key: Span | None, here: str, other: Span | None, there: str) -> Diagnostic:
    return Diagnostic(
        "CFG201",
        f"`{dotted(path)}` is a table in one layer and a value in another",
        _label(key, here),
        tuple(label for label in [_label(other, there)] if label),
        helps=("remove it here; what the lower layer says holds then", _replacement(path, key)),
        fixes=mending.removing(key) if key else (),
    )


def _replacement(path: Path, key: Span | None) -> str:
    if key and key.source.logical == "command line":
        return f"to replace it on purpose, put '~{dotted(path)}' before it"
    return f'to replace it on purpose, add `unset = ["{dotted(path)}"]` to the upper layer'


def nothing_to_unset(path: Path, known: Sequence[Path], span: Span | None, by_default: bool) -> Diagnostic:
    """CFG202: no layer below gives the key that is unset a value."""
    close = nearest(dotted(path), {dotted(other[:n]) for other in known for n in range(1, len(other) + 1)})
    return Diagnostic(
        "CFG202",
        f"`{dotted(path)}` cannot be unset: no lower layer sets it",
        _label(span, f"did you mean `{close}`?" if close and not by_default else ""),
        notes=("it has its default already",) if by_default else (),
        helps=("remove this entry",) if by_default or not close else (f'write `"{close}"`',),
        fixes=_renamed_entry(span, None if by_default else close),
    )


def _renamed_entry(span: Span | None, close: str | None) -> mending.Fixes:
    if span is None:
        return ()
    return mending.setting(span, close, certain=True) if close else mending.removing(span)


def append_to_no_array(path: Path, added: Origin, held: Origin) -> Diagnostic:
    """CFG203: something is appended to a value that is no array."""
    there = _label(held.span, f"{kind_of(held.value)} from the {held.layer}")
    return Diagnostic(
        "CFG203",
        f"`{dotted(path)}` is {kind_of(held.value)}, so nothing can be appended to it",
        _label(added.key_span, "appended here"),
        (there,) if there else (),
        helps=("remove it, or set the key to replace its value",),
        fixes=mending.removing(added.key_span) if added.key_span else (),
    )


def unclosed(key: str, span: Span | None) -> Diagnostic:
    """CFG204: ``${`` without ``}``."""
    return Diagnostic(
        "CFG204",
        f"a `${{` in `{key}` is not closed",
        _label(span, "opened here"),
        helps=_or_out("close it with `}`, or write `$${` for the text `${`"),
        fixes=mending.removing_around(span),
    )


_CODES = {
    "syntax": "CFG204",
    "reference": "CFG205",
    "type": "CFG207",
    "arithmetic": "CFG208",
    "size": "CFG209",
    "function": "CFG210",
}


def expression(
    error: ExpressionError, key: str, text: str, span: Span | None, known: tuple[str, ...] = ()
) -> Diagnostic:
    """CFG204, CFG205, CFG207 to CFG210, by the kind of ``error``. ``known`` shows the values that it refers to."""
    helps: dict[str, tuple[str, ...]] = {
        "syntax": (f"for the shell's own, write `$${{{_short(text)}}}`",)
        if key == SHELL
        else foreign_resolver(text) or ("an expression looks like `${training.max_steps // 50}`",),
        "function": ("the functions are min, max, ceil, floor, round and log2",),
    }
    return Diagnostic(
        _CODES[error.kind],
        f"`${{{_short(text)}}}` in `{key}` {'is no expression' if error.kind == 'syntax' else 'has no value'}",
        _label(span, str(error)),
        notes=known,
        helps=_or_out(*helps.get(error.kind, ())) if key != SHELL else helps.get(error.kind, ()),
        fixes=mending.removing_around(span),
    )


def foreign_resolver(text: str) -> tuple[str, ...]:
    """What to write instead of another tool's resolver (``oc.env:HOME``, ``now:%Y``)."""
    found = re.match(r"\s*([a-z_.]+)\s*:\s*([^,]*)", text)
    if not found:
        return ()
    if "env" in found.group(1):
        return (_environment(found.group(2).strip()),)
    return ("there are no resolvers: no clock, no environment, no random numbers, so that bundles are reproducible",)


def _environment(name: str) -> str:
    return f'the environment is not read; for a path of the node write `{{ env = "{name}", path = "…" }}`'


def unknown_reference(path: RefPath, known: Sequence[Path], span: Span | None, key: str) -> Diagnostic:
    """CFG205: a reference in ``key`` to a key that no layer gives a value."""
    name = shown(path)
    close = nearest(name, {dotted(other[:n]) for other in known for n in range(1, len(other) + 1)})
    close = close or _same_last_part(path, known)
    outside = len(path) == 1 and isinstance(path[0], str) and path[0].isupper()
    helps = (
        (_environment(name),)
        if outside
        else (
            "name the whole key, from its section on; computed values do not exist yet, only written ones and defaults",
        )
    )
    return Diagnostic(
        "CFG205",
        f"no key `{name}` has a value to refer to",
        _label(span, f"did you mean `{close}`?" if close and not outside else ""),
        helps=(f"for the shell's own, write `$${{{name}}}`",)
        if key == SHELL
        else (*helps, f"for the text itself write `$${{{name}}}`")
        if outside
        else _or_out(*helps),
        fixes=(*_reworded(span, name, close, known), *mending.removing_around(span)),
    )


def _reworded(span: Span | None, name: str, close: str | None, known: Sequence[Path]) -> mending.Fixes:
    """The reference to the key that was meant."""
    if close is None:
        return ()
    return mending.rewording(span, close, certain=close == clearly_nearest(name, map(dotted, known)))


def reference_cycle(circle: Sequence[Link]) -> Diagnostic:
    """CFG206: keys that need one another's values."""
    start = min(range(len(circle)), key=lambda i: _position(circle[i]))
    circle = [*circle[start:], *circle[:start]]
    names = [dotted(link.source) for link in circle]
    shown = circle[:MOST_SHOWN]
    first, *others = [_label(link.span, f"`{dotted(link.source)}` needs `{dotted(link.target)}`") for link in shown]
    if len(names) > MOST_SHOWN:
        names = [*names[: MOST_SHOWN - 1], "…", names[-1]]
    return Diagnostic(
        "CFG206",
        "references go round in a circle: " + " → ".join([*names, names[0]]),
        first,
        tuple(label for label in others if label),
        helps=_or_out("give one of these keys a value of its own"),
        fixes=mending.removing_around(first.span) if first else (),
    )


def not_a_text(text: str, value: Value, span: Span | None) -> Diagnostic:
    """CFG207: an array or table in the middle of a text."""
    return Diagnostic(
        "CFG207",
        f"`{_short(text)}` is {kind_of(value)}, which cannot stand inside a text",
        _label(span),
        helps=_or_out("let the reference be the whole string to take the value as it is"),
        fixes=mending.removing_around(span),
    )


def too_many_holes(count: int, limit: int) -> Diagnostic:
    """CFG128: more expressions than anybody writes."""
    return too_much(f"the spec has {count:,} expressions `${{…}}`", None, f"it has at most {limit}")


def text_too_long(key: str, limit: int, span: Span | None) -> Diagnostic:
    """CFG209: interpolation made a very long text."""
    return _too_large(f"`{key}` becomes a text of more than {limit:,} characters", span)


def texts_too_long(limit: int, span: Span | None) -> Diagnostic:
    """CFG209: interpolation made very many long texts."""
    return _too_large(f"interpolated values come to more than {limit:,} characters in all", span)


def value_too_large(path: Path, limit: int, span: Span | None) -> Diagnostic:
    """CFG209: interpolation made a very large array or table."""
    return _too_large(f"`{dotted(path)}` becomes more than {limit:,} values", span)


def _too_large(message: str, span: Span | None) -> Diagnostic:
    return Diagnostic("CFG209", message, _label(span), helps=_or_out(), fixes=mending.removing_around(span))


def _or_out(*helps: str) -> tuple[str, ...]:
    """``helps``, and that the key may be left out."""
    return (*helps, _OUT if helps else _OUT.removeprefix("or "))


def shown(path: RefPath) -> str:
    """A reference as it is written: ``data.sources[0].name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _same_last_part(path: RefPath, known: Sequence[Path]) -> str | None:
    return next((dotted(other) for other in known if other[-1] == path[-1]), None)


def _label(span: Span | None, text: str = "") -> Label | None:
    return Label(span, text) if span else None


def _short(text: str) -> str:
    stripped = " ".join(text.split())
    return stripped if len(stripped) <= 60 else stripped[:59] + "…"


def _position(link: Link) -> tuple[str, int]:
    return (link.span.source.logical, link.span.start) if link.span else ("", 0)
