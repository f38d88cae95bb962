"""What an import says of a file that it cannot use."""

from __future__ import annotations

from collections.abc import Sequence

from cfgc.diagnostics import Diagnostic, Label
from cfgc.source import SourceFile, Span


def unreadable(logical: str, reason: str, asked: Label | None = None) -> Diagnostic:
    """CFG140: there is no such file, it can't be read, or it lies outside of the imported tree."""
    helps = ("name the directory that holds all of it: --tree DIR",) if "outside" in reason else ()
    return Diagnostic("CFG140", f"cannot import `{logical}`: {reason}", asked, helps=helps)


def not_utf8(span: Span, byte: int) -> Diagnostic:
    """CFG141: no text."""
    return not_yaml(span, f"byte 0x{byte:02x} is no UTF-8 character", ("save the file as UTF-8",))


def not_yaml(span: Span, what: str, helps: tuple[str, ...] = ()) -> Diagnostic:
    """CFG141: the text breaks YAML's grammar."""
    return Diagnostic("CFG141", f"this is not YAML: {what}", Label(span), helps=helps)


def not_a_table(span: Span, what: str) -> Diagnostic:
    """CFG141: YAML, and no config."""
    return Diagnostic("CFG141", f"`{span.source.logical}` is no config: {what}", Label(span))


def twice(again: Span, first: Span, name: str) -> Diagnostic:
    """CFG141: most readers keep the last one in silence."""
    return Diagnostic(
        "CFG141",
        f"`{name}` is written twice in one table",
        Label(again, "again here"),
        (Label(first, "first written here"),),
        helps=("keep one of the two",),
    )


def too_deep(span: Span, limit: int) -> Diagnostic:
    """CFG142: deeper than any config."""
    return Diagnostic("CFG142", f"tables and lists are nested more than {limit} levels deep", Label(span))


def too_many(span: Span, limit: int) -> Diagnostic:
    """CFG142: aliases that stand for more values than any config has."""
    return Diagnostic(
        "CFG142",
        f"the file stands for more than {limit:,} values",
        Label(span),
        notes=("each alias counts as all that it stands for",),
    )


def tagged(span: Span, tag: str) -> Diagnostic:
    """CFG142: a tag asks the reader to build an object."""
    return Diagnostic(
        "CFG142",
        f"the tag `{tag.replace('tag:yaml.org,2002:', '!!')}` is not read",
        Label(span),
        notes=("a tag can make a reader run code; a config has text, numbers, lists and tables",),
        helps=("write the plain value",),
    )


def no_defaults_list(span: Span) -> Diagnostic:
    """CFG144: ``defaults`` is something else."""
    return Diagnostic("CFG144", "`defaults` is no list of configs", Label(span), helps=("write `defaults: [_self_]`",))


def bad_default(span: Span, what: str) -> Diagnostic:
    """CFG144: an entry that chooses nothing."""
    return Diagnostic("CFG144", f"the defaults list cannot be followed: {what}", Label(span))


def default_cycle(span: Span, chain: tuple[str, ...], limit: int) -> Diagnostic:
    """CFG144: configs that ask for each other."""
    circle = chain[-1] in chain[:-1]
    what = "a config asks for itself" if circle else f"it leads to more than {limit} configs"
    shown = chain[chain.index(chain[-1]) :] if circle else chain[-3:]
    return Diagnostic(
        "CFG144", f"the defaults list cannot be followed: {what}", Label(span), notes=(" → ".join(shown),)
    )


def no_such_config(span: Span, path: str, options: list[str], close: str | None) -> Diagnostic:
    """CFG144: a choice that is not in the tree."""
    helps = (f"did you mean `{close}`?",) if close else ()
    return Diagnostic(
        "CFG144",
        f"the defaults list cannot be followed: there is no config `{path}`",
        Label(span),
        notes=(f"its directory holds {', '.join(options)}",) if options else (),
        helps=helps or ("name the directory that holds the groups: --tree DIR",),
    )


def no_kind(source: SourceFile, kinds: Sequence[str]) -> Diagnostic:
    """CFG143: keys of no tool that is known."""
    return Diagnostic(
        "CFG143",
        f"`{source.logical}` is of no kind that can be imported",
        Label(Span(source, 0, 0), "its keys are of none of them"),
        notes=(f"known are {', '.join(kinds)}",),
        helps=("say which one it is: --kind hydra",),
    )
