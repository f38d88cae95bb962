"""What the load phase says about a project's file."""

from __future__ import annotations

from collections.abc import Sequence

from cfgc.diagnostics.model import Diagnostic, Edit, Fix, Label
from cfgc.load.raw import PROJECT_FILE
from cfgc.nearest import nearest
from cfgc.origin import Value, dotted
from cfgc.source import Span

_RELEASES = ("deepspeed", "torch", "slurm")
_OF_PROJECT = f"`{PROJECT_FILE}` has: search, out, target"


def unknown_key(key: str, known: Sequence[str], span: Span) -> Diagnostic:
    """CFG125: the project's file has no such key."""
    close = nearest(key, known)
    if key in _RELEASES:
        return _release_outside(key, span)
    return Diagnostic(
        "CFG125",
        f"`{PROJECT_FILE}` has no key `{dotted((key,))}`",
        Label(span, f"did you mean `{close}`?" if close else ""),
        notes=(_OF_PROJECT,),
        helps=(
            f"write `{close}`"
            if close
            else "what all runs share goes into a base, say `specs/bases/common.toml`, that their specs extend",
        ),
        fixes=(Fix((Edit("move", span.source, (key,), to=(close,)),), certain=True),) if close else (),
    )


def _release_outside(key: str, span: Span) -> Diagnostic:
    fix = Fix((Edit("move", span.source, (key,), to=("target", key)),), certain=True)
    help_ = f"write `{key}` under `[target]`"
    return Diagnostic(
        "CFG125",
        f"`{PROJECT_FILE}` has no key `{key}`",
        Label(span),
        notes=(_OF_PROJECT,),
        helps=(help_,),
        fixes=(fix,),
    )


def not_a_list_of_directories(value: Value, span: Span) -> Diagnostic:
    """CFG126: ``search`` is a list."""
    shown = f'["{value}"]' if isinstance(value, str) else '["specs"]'
    return _bad_value("`search` takes a list of directories", span, f"search = {shown}")


def not_a_directory_name(key: str, span: Span) -> Diagnostic:
    """CFG126: ``out`` and each entry of ``search`` are texts."""
    what, write = ("an entry of `search`", 'search = ["specs"]') if key == "search" else ("`out`", 'out = "out"')
    return _bad_value(f"{what} is the name of a directory", span, write)


def target_not_a_table(value: Value, span: Span) -> Diagnostic:
    """CFG126: ``target`` holds keys."""
    return _bad_value(
        "`target` is a table of releases",
        span,
        f'target.deepspeed = "{value if isinstance(value, str) else "RELEASE"}"',
    )


def project_is_no_spec(logical: str, asked: Span | None = None) -> Diagnostic:
    """CFG129: the project's file is neither compiled nor extended."""
    return Diagnostic(
        "CFG129",
        f"`{logical}` is a project's file, not a spec",
        Label(asked) if asked else None,
        notes=("it is read together with every spec of the project",),
        helps=("remove it here",) if asked else ("name a spec: `cfgc check specs/my-run.toml`",),
    )


def _bad_value(message: str, span: Span, write: str) -> Diagnostic:
    return Diagnostic("CFG126", message, Label(span), notes=(_OF_PROJECT,), helps=(f"write `{write}`",))


def not_a_logical_directory(name: str, why: str, span: Span) -> Diagnostic:
    """CFG127: a path that means something else on another machine."""
    return _bad_directory(
        f"`{name}` cannot be a directory of a project: {why}",
        span,
        f"write a path relative to the directory of `{PROJECT_FILE}`; another output is `-o` on the command line",
    )


def no_such_directory(name: str, span: Span) -> Diagnostic:
    """CFG127: nothing can be looked for there."""
    return _bad_directory(
        f"there is no directory `{name}` to search", span, f"make it beside `{PROJECT_FILE}`, or remove the entry"
    )


def _bad_directory(message: str, span: Span, write: str) -> Diagnostic:
    return Diagnostic("CFG127", message, Label(span), helps=(write,))
