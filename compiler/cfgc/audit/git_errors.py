"""What is wrong with a side that git is to give."""

from __future__ import annotations

from cfgc.diagnostics import Diagnostic


def no_revision(named: str, revision: str, why: str) -> Diagnostic:
    """CFG742: git does not know the revision, or there is no repository."""
    return Diagnostic(
        "CFG742",
        f"`{named}`: git knows no revision `{revision}` here" + (f": {why.removeprefix('fatal: ')}" if why else ""),
        helps=()
        if why
        else ("name a commit, a branch or a tag; in a shallow clone, fetch it: `git fetch origin BRANCH`",),
    )


def not_in_revision(named: str, revision: str, path: str, near: str) -> Diagnostic:
    """CFG743: the revision has nothing at that path."""
    return Diagnostic(
        "CFG743",
        f"`{named}`: there is no `{path}` in revision `{revision}`",
        notes=(
            "as git reads it, a path after `REV:` starts at the repository's root, or here when it begins with `./`",
        ),
        helps=(f"write `{revision}:{near}`",)
        if near
        else (f"`git ls-tree -r --name-only {revision}` lists its files",),
    )
