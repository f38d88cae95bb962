"""What the load phase says about files, and bases that they extend."""

from __future__ import annotations

from collections.abc import Sequence

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load import mending
from cfgc.load.raw import SHIPPED
from cfgc.source import Span

BACKSLASH = "\\"
START = "cfgc:bases/small.toml"
"""The base to start from."""
_START = f'the shipped bases are tiny, small, base and large: write `extends = "{START}"`'
_NAMED = "a spec is named by its path from here, with its `.toml`; `cfgc init DIR` makes a project that has one"
_SHIPPED = f"what comes with cfgc is `{SHIPPED}examples/quickstart.toml`, and others beside it and in `{SHIPPED}bases/`"


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


def no_such_spec(name: str, tried: Sequence[str], close: str | None, asked: Span | None) -> Diagnostic:
    """CFG102: neither beside the file that ``asked`` nor on the search path; or no spec where the user named one."""
    if asked is None:
        helps = (f"did you mean `{close}`?" if close else _SHIPPED if name.startswith(SHIPPED) else _NAMED,)
        return Diagnostic("CFG102", f"there is no spec `{name}`", helps=helps)
    return Diagnostic(
        "CFG102",
        f"there is no spec `{name}`",
        Label(asked, f"did you mean `{close}`?" if close else ""),
        notes=tuple(f"tried {logical}" for logical in tried),
        helps=(f'write `extends = "{close}"`' if close else _START,),
        fixes=mending.setting(asked, close or START, certain=bool(close)),
    )


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


def too_many_bases(limit: int, span: Span) -> Diagnostic:
    """CFG118: a road of bases that nobody can follow."""
    return Diagnostic(
        "CFG118",
        f"more than {limit} specs extend one another in a row",
        Label(span),
        helps=("merge some of the bases into one",),
    )
