"""What the load phase says about overrides on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load.limit_errors import too_much
from cfgc.nearest import nearest
from cfgc.origin import Path, dotted
from cfgc.source import SourceFile, Span

FORMS = "overrides are `section.key=VALUE`, `~section.key`, `**.key=VALUE`, `section.key*=2`, `group=option`, `~group`"


def no_equals_sign(source: SourceFile) -> Diagnostic:
    """CFG120: neither an assignment nor a removal."""
    return _malformed(_whole(source), "this is no override: it has no `=`")


def not_characters(source: SourceFile) -> Diagnostic:
    """CFG120: the shell passed bytes that are no UTF-8."""
    return _malformed(_whole(source), "this is no override: some of its bytes are no UTF-8 characters")


def not_an_override_key(span: Span) -> Diagnostic:
    """CFG120: the left side is no dotted key."""
    return _malformed(span, f"`{span.text}` is not a dotted key")


def directive(source: SourceFile, path: Path, right: str) -> Diagnostic:
    """CFG120: what belongs to a file's own language."""
    instead = {"overlays": f"'{path[-1]}={right}'", "unset": "'~section.key'"}.get(path[0])
    return _malformed(
        _whole(source),
        f"`{path[0]}` is a directive of files, not a key",
        (instead or "write it into a spec that extends this one",),
    )


def no_option(source: SourceFile, group: str) -> Diagnostic:
    """CFG120: a group without an option."""
    return _malformed(_whole(source), f"no option is given for the overlay group `{group}`", (f"'~{group}' drops it",))


def no_value(span: Span, key: str) -> Diagnostic:
    """CFG120: nothing on the right side."""
    return _malformed(_whole(span.source), f"`{key}` is given no value", (f"'{key}=\"\"' is an empty text",))


def too_many_overrides(count: int, limit: int) -> Diagnostic:
    """CFG128: more overrides than anybody types."""
    return replace(
        too_much(f"{count:,} overrides are given", None, f"a command line takes at most {limit}"),
        helps=("write them into a spec that extends this one",),
    )


def too_long_override(source: SourceFile, limit: int) -> Diagnostic:
    """CFG128: an override that nobody typed."""
    message = f"an override has {len(source.text):,} characters"
    return too_much(message, Label(Span(source, 0, 40)), f"it has at most {limit:,}")


def _malformed(span: Span, message: str, helps: tuple[str, ...] = ()) -> Diagnostic:
    return Diagnostic("CFG120", message, Label(span), notes=(FORMS,), helps=helps)


def foreign_habit(source: SourceFile) -> Diagnostic | None:
    """CFG121: a form that another tool has."""
    text = source.text
    plus = re.match(r"\+{1,2}", text)
    dashes = re.match(r"-{1,2}", text)
    if plus:
        rest = text[plus.end() :]
        return _habit(source, plus.end(), f"`{plus.group()}` is not needed: a key is set whether or not it was", rest)
    if dashes:
        rest = re.sub(r"\s+", "=", text[dashes.end() :].strip(), count=1)
        return _habit(source, dashes.end(), "overrides have no dashes", rest)
    if text.startswith("~") and "=" in text:
        rest = text.partition("=")[0]
        return _habit(source, len(text), "`~` removes a key whatever its value", rest)
    if "@" in text.partition("=")[0]:
        rest = re.sub(r"@[^=]*", "", text)
        return _habit(
            source, len(text.partition("=")[0]), "an overlay has no package: its file names the sections", rest
        )
    return None


def nothing_word(span: Span, key: str) -> Diagnostic:
    """CFG121: null."""
    return _habit(
        span.source, span.end, f"TOML has no `{span.text}`: a key without a value is unset", f"~{key}", span.start
    )


def python_word(span: Span, key: str, toml: str) -> Diagnostic:
    """CFG121: ``True``, ``.5``."""
    return _habit(span.source, span.end, f"TOML does not write `{span.text}`", f"{key}={toml}", span.start)


def comma_list(span: Span, key: str, array: str) -> Diagnostic:
    """CFG121: ``1e-3,1e-4``."""
    found = _habit(span.source, span.end, "a comma makes neither a list nor several runs", f"{key}={array}", span.start)
    return replace(found, helps=(f"for an array write {found.helps[0]}", f"for one text write '{key}=\"{span.text}\"'"))


def _habit(source: SourceFile, end: int, message: str, instead: str, start: int = 0) -> Diagnostic:
    return Diagnostic("CFG121", message, Label(Span(source, start, end)), helps=(f"'{instead}'",))


def in_override(found: Iterable[Diagnostic], right: Span, key: str, instead: str | None) -> list[Diagnostic]:
    """``found`` in a text of the same length as the override: CFG122 for what breaks TOML's grammar."""
    return [_moved(diagnostic, right, key, instead) for diagnostic in found]


def _moved(found: Diagnostic, right: Span, key: str, instead: str | None) -> Diagnostic:
    start, end = (found.primary.span.start, found.primary.span.end) if found.primary else (0, 0)
    inside = start >= right.start
    span = Span(right.source, start, end) if inside else right
    if found.code == "CFG107":
        return replace(found, primary=Label(span))
    what = found.message.partition(": ")[2] if inside else "it does not end"
    helps = (f"'{key}={instead}'",) if instead else found.helps if inside else ("close its quote or bracket",)
    return Diagnostic("CFG122", f"the value of `{key}` is not TOML: {what or found.message}", Label(span), helps=helps)


def several_lines(span: Span, key: str) -> Diagnostic:
    """CFG122: more than one value."""
    return Diagnostic(
        "CFG122",
        f"the value of `{key}` is not TOML: it has several lines, or control characters",
        Label(span),
        helps=("give each key an override of its own",),
    )


def no_leaf_of_that_name(path: Path, names: Iterable[str], span: Span) -> Diagnostic:
    """CFG123: ``**.name`` meets nothing."""
    close = nearest(path[-1], names)
    return Diagnostic(
        "CFG123",
        f"no key with a value is called `{dotted(path)}`",
        Label(span, f"did you mean `**.{close}`?" if close else ""),
        notes=("`**.` reaches every key of that name that a default, a base, an overlay or the spec gives a value",),
        helps=(f"write `**.{close}`" if close else f"name the whole key, as in `section.{dotted(path)}=VALUE`",),
    )


def nothing_to_change(path: Path, known: Sequence[Path], span: Span) -> Diagnostic:
    """CFG124: a walk from a key without a value."""
    close = nearest(dotted(path), map(dotted, known))
    return Diagnostic(
        "CFG124",
        f"`{dotted(path)}` has no value to start from",
        Label(span, f"did you mean `{close}`?" if close else ""),
        helps=(f"'{dotted(path)}=VALUE' gives it one",),
    )


def not_a_number_to_change(path: Path, what: str, span: Span, place: Span | None) -> Diagnostic:
    """CFG124: a walk from something that is no number."""
    return Diagnostic(
        "CFG124",
        f"`{dotted(path)}` is {what}: only a number can be added to or multiplied",
        Label(span),
        (Label(place, "its value"),) if place else (),
        helps=(f"'{dotted(path)}=VALUE' replaces it",),
    )


def not_a_number_to_change_by(what: str, span: Span) -> Diagnostic:
    """CFG124: a walk by something that is no number."""
    return Diagnostic("CFG124", f"`{span.text}` is {what}, no number", Label(span))


def _whole(source: SourceFile) -> Span:
    return Span(source, 0, len(source.text))
