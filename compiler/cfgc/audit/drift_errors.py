"""What ``cfgc build --check`` finds."""

from __future__ import annotations

from pathlib import Path

from cfgc.audit.drift import Drift
from cfgc.audit.drift_text import file_words
from cfgc.diagnostics import Diagnostic

_SHOWN = 8


def differs(drift: Drift, command: str) -> Diagnostic:
    """CFG730: a build would write other bytes."""
    found = file_words(drift.files)
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return Diagnostic(
        "CFG730",
        f"`{drift.directory}` is not what `{drift.root}` gives",
        notes=(*found[:_SHOWN], *more),
        helps=(f"build it again, and read what changes: `{command}`",),
    )


def not_built(drift: Drift, command: str) -> Diagnostic:
    """CFG731: there is no bundle where the build would put one."""
    return Diagnostic(
        "CFG731",
        f"there is no bundle at `{drift.directory}`, where `{drift.root}` would be built",
        helps=(f"build it: `{command}`",),
    )


def spec_is_gone(directory: Path, root: str, project: Path) -> Diagnostic:
    """CFG732: no spec gives the bundle any more."""
    return Diagnostic(
        "CFG732",
        f"`{root}`, the spec of the bundle `{directory}`, is not there",
        notes=(f"looked for in `{project}`, the nearest directory above the bundle with a cfgc.toml",),
        helps=(
            f"say where its spec is now: `cfgc build --check SPEC -o {directory}`",
            f"or remove the bundle: `git rm -r {directory}`",
        ),
    )
