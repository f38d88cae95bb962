"""What cannot be read of a bundle."""

from __future__ import annotations

from pathlib import Path

from cfgc.diagnostics import Diagnostic
from cfgc_runtime.manifest import READABLE


def not_a_bundle(name: str, why: str, advice: str = "") -> Diagnostic:
    """CFG740: there is no manifest of cfgc's, so that nothing says what this is."""
    return Diagnostic(
        "CFG740",
        f"`{name}` is not a bundle: {why}",
        helps=(advice or "give the directory that `cfgc build` wrote, the one with manifest.json in it",),
    )


def unreadable_manifest(name: str, why: str) -> Diagnostic:
    """CFG741: it was a bundle, and its manifest says nothing any more."""
    return Diagnostic(
        "CFG741",
        f"`manifest.json` of the bundle `{name}` cannot be read: {why}",
        helps=("build it again from its spec, or take the bundle from where it was compiled",),
    )


def another_format(name: str, theirs: object, ours: int) -> Diagnostic:
    """CFG741: a bundle of a later cfgc."""
    return Diagnostic(
        "CFG741",
        f"`{name}` is a bundle of format {theirs}, and this cfgc reads format {ours}",
        helps=("use the cfgc that built it: `cfgc_version` in its manifest.json",),
    )


def closed(error: OSError, place: Path) -> Diagnostic:
    """CFG741: the system does not give what the error names, a directory or a file; ``place`` where it names none."""
    return Diagnostic(
        "CFG741",
        f"`{error.filename or place}` cannot be read: {error.strerror or error}",
        helps=(READABLE,),
    )


def unreadable_file(name: str, file: str, why: str) -> Diagnostic:
    """CFG741: what the bundle says of itself cannot be read."""
    return Diagnostic(
        "CFG741",
        f"`{file}` of the bundle `{name}` cannot be read: {why}",
        helps=("build it again from its spec, which `root` of its manifest.json names",),
    )
