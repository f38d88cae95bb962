"""What the write phase refuses."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from cfgc.diagnostics import Diagnostic
from cfgc_runtime.manifest import READABLE


def not_a_bundle(directory: Path, why: str) -> Diagnostic:
    """CFG701: the directory is there, and cfgc did not write it."""
    return Diagnostic(
        "CFG701",
        f"`{directory}` is not a bundle, so it is not replaced",
        notes=(why,),
        helps=("give another directory: `-o DIR`, or move this one away",),
    )


def unlisted_files(directory: Path, names: Sequence[str]) -> Diagnostic:
    """CFG702: replacing the bundle would delete files that cfgc did not write."""
    shown = [f"`{name}`" for name in names[:5]] + ([f"{len(names) - 5} more"] if len(names) > 5 else [])
    return Diagnostic(
        "CFG702",
        f"`{directory}` holds files that are not part of the bundle",
        notes=(f"not in its manifest: {', '.join(shown)}", "a bundle is replaced as a whole, and they would be lost"),
        helps=("move them away, or give another directory: `-o DIR`",),
    )


def another_root(directory: Path, theirs: str, ours: str, there: bool | None) -> Diagnostic:
    """CFG703: the bundle there was compiled from another spec; ``there`` says whether that still exists."""
    gone = ", which is not there any more" if there is False else ""
    moved = "" if there is False else f"if `{theirs}` is called otherwise now, "
    remove = f"{moved}remove the old bundle and build again: `{shlex.join(('rm', '-r', str(directory)))}`"
    rename = "give one of the two another `experiment.name`, or this one another directory: `-o DIR`"
    return Diagnostic(
        "CFG703",
        f"`{directory}` holds the bundle of another spec",
        notes=(f"it was built from `{theirs}`{gone}; this build is from `{ours}`",),
        helps=(*(() if there is False else (rename,)), *(() if there else (remove,))),
    )


def not_written(directory: Path, error: OSError) -> Diagnostic:
    """CFG704: the disk refused; what was there is still there."""
    place = f" (`{error.filename}`)" if error.filename else ""
    return Diagnostic(
        "CFG704",
        f"`{directory}` cannot be written: {error.strerror or error}{place}",
        notes=("nothing was changed: what was in its place before is still there",),
    )


def not_readable(directory: Path, error: OSError) -> Diagnostic:
    """CFG708: what is there cannot be compared with what a build would write."""
    place = f" (`{error.filename}`)" if error.filename else ""
    return Diagnostic("CFG708", f"`{directory}` cannot be read: {error.strerror or error}{place}", helps=(READABLE,))


def not_a_directory(directory: Path, what: str) -> Diagnostic:
    """CFG705: something other than a directory is in the way."""
    return Diagnostic(
        "CFG705",
        f"`{directory}` is {what}, and a bundle is a directory",
        notes=("it is replaced as a whole, which would not do what is meant to a link or a file",),
        helps=("give another directory: `-o DIR`",),
    )


def around_the_current_directory(directory: Path) -> Diagnostic:
    """CFG706: the exchange would take the ground from under the shell."""
    return Diagnostic(
        "CFG706",
        f"`{directory}` is the current directory or holds it, so it is not replaced",
        notes=("a bundle's directory is exchanged as a whole: the shell would stand in a deleted one",),
        helps=("build from outside of it, or give another directory: `-o DIR`",),
    )


def inside_a_bundle(directory: Path, around: Path) -> Diagnostic:
    """CFG707: a bundle holds exactly what its manifest lists."""
    return Diagnostic(
        "CFG707",
        f"`{directory}` lies inside the bundle `{around}`",
        notes=("that bundle would no longer verify, and its next build would be refused",),
        helps=("give a directory outside of it: `-o DIR`",),
    )
