"""What the load phase says about files, directives and overlays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load import mending
from cfgc.load.reader import MAX_BYTES
from cfgc.nearest import clearly_nearest, nearest
from cfgc.origin import Origin, Path, Value, dotted
from cfgc.source import SourceFile, Span

BACKSLASH = "\\"

START = "cfgc:bases/small.toml"
"""The base to start from."""

_START = f'the shipped bases are tiny, small, base and large: write `extends = "{START}"`'
_FILE_LIMIT = f"a file of a spec has at most {MAX_BYTES:,} bytes"


def unreadable(logical: str, reason: str, asked: Span | None) -> Diagnostic:
    """CFG101: the file is there, but can't be read."""
    return Diagnostic("CFG101", f"cannot read `{logical}`: {reason}", Label(asked, "asked for here") if asked else None)


def a_directory(logical: str, asked: Span | None) -> Diagnostic:
    """CFG101: a spec is one file."""
    return Diagnostic(
        "CFG101",
        f"cannot read `{logical}`: it is a directory",
        Label(asked, "asked for here") if asked else None,
        helps=("a spec is one file: write its whole path, with its name and `.toml`",),
    )


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


def no_such_spec(name: str, tried: Sequence[str], close: str | None, asked: Span | None) -> Diagnostic:
    """CFG102: neither beside the file nor on the search path."""
    return Diagnostic(
        "CFG102",
        f"there is no spec `{name}`",
        Label(asked, f"did you mean `{close}`?" if close else "") if asked else None,
        notes=tuple(f"tried {logical}" for logical in tried),
        helps=(f'write `extends = "{close}"`' if asked else f"did you mean `{close}`?",) if close else (_START,),
        fixes=mending.setting(asked, close or START, certain=bool(close)) if asked else (),
    )


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


def extends_not_a_path(span: Span) -> Diagnostic:
    """CFG108: ``extends`` takes a path or a list of paths."""
    return Diagnostic(
        "CFG108",
        "`extends` takes the path of a base, or a list of paths",
        Label(span),
        helps=(f'write `extends = "{START}"`, or `extends = ["{START}", "mine.toml"]`',),
        fixes=mending.setting(span, START),
    )


def not_a_logical_path(name: str, why: str, span: Span) -> Diagnostic:
    """CFG109: a path that means something else on another machine."""
    return Diagnostic(
        "CFG109",
        f"`{name}` cannot be extended: {why}",
        Label(span),
        notes=(
            "a path is relative to the file that names it, then to `specs/` of the project, then shipped (`cfgc:`)",
        ),
        helps=(f"write `{name.replace(BACKSLASH, '/')}`",) if BACKSLASH in name else (_START,),
        fixes=mending.setting(span, name.replace(BACKSLASH, "/") if BACKSLASH in name else START),
    )


def extends_cycle(steps: Sequence[tuple[str, Span, str]]) -> Diagnostic:
    """CFG110: following ``extends`` leads back; each step is the file, where it extends, and what it extends."""
    names = [logical for logical, _, _ in steps]
    (_, first, target), *others = steps
    return Diagnostic(
        "CFG110",
        "`extends` goes round in a circle: " + " → ".join([*names, names[0]]),
        Label(first, f"extends {target}"),
        tuple(Label(span, f"extends {base}") for _, span, base in others),
        helps=("remove one of these, or move what both need into a third base",),
        fixes=mending.removing(first),
    )


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


def overlays_not_a_table(span: Span) -> Diagnostic:
    """CFG112: ``overlays`` takes ``group = "option"``."""
    return _bad_choice(span, 'remove it, or write `[overlays]\nzero = "2"`', mending.removing(span))


def overlay_not_a_name(group: str, option: Value, span: Span, home: Path = ()) -> Diagnostic:
    """CFG112: an overlay's option is a text. ``home`` is the key of the spec that ``group`` is the name of."""
    name = dotted((group,))
    inner = next(iter(option.values())) if isinstance(option, dict) and len(option) == 1 else option
    inner = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
    if isinstance(inner, str) and inner:
        return _bad_choice(span, f'write `{name} = "{inner}"`', mending.setting(span, inner))
    if home:
        return _bad_choice(span, _at_home(home), mending.moving(span, home, certain=True))
    if isinstance(option, int) and not isinstance(option, bool):
        return _bad_choice(span, f'write `{name} = "{option}"`', mending.setting(span, str(option), certain=True))
    return _bad_choice(span, f'remove it, or write `{name} = "option"`', mending.removing(span))


def _at_home(home: Path) -> str:
    return f"write `{home[-1]}` under `[{dotted(home[:-1])}]`: it is a key of the spec, and no overlay"


def _bad_choice(span: Span, text: str, fixes: mending.Fixes) -> Diagnostic:
    return Diagnostic("CFG112", 'overlays are chosen as `group = "option"`', Label(span), helps=(text,), fixes=fixes)


def unknown_group(
    group: str, groups: Sequence[str], span: Span, extra: tuple[str, ...] = (), home: Path = ()
) -> Diagnostic:
    """CFG113: no directory of overlays has this name. ``home`` is the key of the spec that it is the name of."""
    close = nearest(group, groups)
    write = f"write `{close}`" if close else _at_home(home) if home else "remove it"
    fixes = mending.removing(span)
    if close or home:
        certain = close == clearly_nearest(group, groups) if close else True
        fixes = mending.moving(span, (close,) if close else home, certain=certain)
    return Diagnostic(
        "CFG113",
        f"there is no overlay group `{group}`",
        Label(span, f"did you mean `{close}`?" if close else ""),
        notes=("groups: " + (", ".join(groups) or "none"),),
        helps=extra or (write,),
        fixes=fixes,
    )


def unknown_option(group: str, option: str, options: Sequence[str], span: Span, tried: Sequence[str]) -> Diagnostic:
    """CFG114: the group has no such overlay."""
    held = [name for name in options if option.lower().endswith(name) and not option[: -len(name)].isdigit()]
    close = max(held, key=len) if held else nearest(option, options) if len(option) > 2 else None
    write = close or next((name for name in options if option.startswith(name)), options[0])
    return Diagnostic(
        "CFG114",
        f"the overlay group `{group}` has no option `{option}`",
        Label(span, f"did you mean `{close}`?" if close else ""),
        notes=(f"options of {group}: " + ", ".join(options), "tried " + ", ".join(tried)),
        helps=(f'write `{group} = "{write}"`' + ("" if close else ", or another of the options"),),
        fixes=mending.setting(span, write, certain=close is not None and close == clearly_nearest(option, options)),
    )


def overlay_chooses_overlays(span: Span) -> Diagnostic:
    """CFG115: which overlays apply is settled before any is read."""
    return Diagnostic(
        "CFG115",
        "an overlay cannot choose overlays",
        Label(span),
        notes=("which overlays apply is settled first, over the spec, its bases and the command line",),
        helps=("remove it, and let the overlay extend the other one: `extends` takes its path",),
        fixes=mending.removing(span),
    )


def overlay_not_chosen(group: str, chosen: Sequence[str], span: Span) -> Diagnostic:
    """CFG116: an overlay is dropped that nothing chose."""
    return Diagnostic(
        "CFG116",
        f"no overlay of the group `{group}` is chosen, so there is none to drop",
        Label(span),
        notes=("chosen: " + (", ".join(chosen) or "none"),),
        helps=("remove this entry",),
        fixes=mending.removing(span),
    )


def overlay_shadowed(
    choice: str, asked: Span, shadows: Sequence[tuple[Path, Span | None, Span | None, Origin]]
) -> Diagnostic:
    """CFG117: the command line picks an overlay whose values the spec's own body replaces.

    Each shadow is a key, its place in the body, its place in the overlay, and the value the overlay would give.
    """
    labels = [
        Label(span, text)
        for path, body, overlay, _ in shadows
        for span, text in ((body, f"`{dotted(path)}` of the spec wins"), (overlay, "over this"))
        if span
    ]
    return Diagnostic(
        "CFG117",
        f"the overlay `{choice}` would not have its whole effect: the spec's body sets the same keys",
        Label(asked, "chosen here"),
        tuple(labels),
        notes=("order: bases < overlays < the spec's body < command line",),
        helps=(
            "remove these keys from the spec, or give them on the command line too: "
            + " ".join(f"'{dotted(path)}={_toml(origin)}'" for path, _, _, origin in shadows),
        ),
    )


def too_many_bases(limit: int, span: Span) -> Diagnostic:
    """CFG118: a road of bases that nobody can follow."""
    return Diagnostic(
        "CFG118",
        f"more than {limit} specs extend one another in a row",
        Label(span),
        helps=("merge some of the bases into one",),
    )


def _toml(origin: Origin) -> str:
    """The value as it is written."""
    return origin.span.text if origin.span else str(origin.value)


def in_text_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """``found`` file by file, in the order in which the files first appear, and down each file."""
    listed = list(found)
    files: dict[str, int] = {}
    for diagnostic in listed:
        if diagnostic.primary:
            files.setdefault(diagnostic.primary.span.source.logical, len(files))
    return sorted(listed, key=lambda diagnostic: _rank(diagnostic, files))


def _rank(diagnostic: Diagnostic, files: Mapping[str, int]) -> tuple[int, int]:
    """Overrides are one source each: only their own order counts."""
    if diagnostic.primary is None:
        return -1, 0
    span = diagnostic.primary.span
    one_line = span.source.logical == "command line"
    return files[span.source.logical], 0 if one_line else span.start
