"""What ``cfgc build --check`` finds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from cfgc.audit.bundle_errors import not_a_bundle
from cfgc.audit.drift import Drift
from cfgc.audit.drift_commit import other_commit
from cfgc.audit.drift_road import Road, run_of, whole
from cfgc.audit.drift_text import file_words
from cfgc.diagnostics import Diagnostic
from cfgc.nearest import nearest

_SHOWN = 8
_DIGITS = 12
"""Of a commit that is named in passing."""


def differs(drift: Drift, road: Road) -> Diagnostic:
    """CFG730: a build would write other bytes."""
    found = file_words(drift.files)
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return Diagnostic(
        "CFG730",
        f"`{drift.directory}` is not what `{drift.root}` gives",
        notes=(*_rewritten(drift), *found[:_SHOWN], *more, *_in_the_way(road)),
        helps=_helps(road, f"build it again, and read what changes: `{road.command}`"),
    )


def _rewritten(drift: Drift) -> Iterator[str]:
    """What a squash or a rebase does, and how a bundle outlives one."""
    if pair := other_commit(drift):
        was, now = (commit[:_DIGITS] for commit in pair)
        yield f"nothing differs but the commit of the package: {was} → {now} have the same code, byte for byte"
        yield "a squash or a rebase gives commits other names: build the bundle again after it, and sign it again"


def not_built(drift: Drift, road: Road) -> Diagnostic:
    """CFG731: there is no bundle where the build would put one."""
    return Diagnostic(
        "CFG731",
        f"there is no bundle at `{drift.directory}`, where `{drift.root}` would be built",
        notes=tuple(_in_the_way(road)),
        helps=_helps(road, f"build it: `{road.command}`"),
    )


def _in_the_way(road: Road) -> Iterator[str]:
    for refusal in road.refusals:
        yield f"`{road.command}` would be refused ({refusal.code}): {refusal.message}"
        yield from refusal.notes


def _helps(road: Road, build: str) -> tuple[str, ...]:
    if road.run:
        return (f"the run `{road.run}` keeps what it ran; a build goes elsewhere: `{road.command}`",)
    return tuple(text for refusal in road.refusals for text in refusal.helps) or (build,)


def not_there(place: Path) -> Diagnostic:
    """CFG740: nothing is at ``place``, which is not named as a spec is."""
    close = nearest(place.name, [path.name for path in _beside(place)])
    advice = f"did you mean `{place.parent / close}`?" if close else "was nothing built yet? `cfgc build SPEC` does"
    return not_a_bundle(str(place), "there is no such file or directory", advice)


def _beside(place: Path) -> list[Path]:
    try:
        return [path for path in place.parent.iterdir() if path.is_dir()]
    except OSError:
        return []


def spec_is_gone(directory: Path, root: str, overrides: Sequence[str], looked: Path, is_project: bool) -> Diagnostic:
    """CFG732: no spec gives the bundle any more; ``looked`` is where it was looked for."""
    check = shlex.join(("cfgc", "build", "--check", "SPEC", *overrides, "-o", str(directory)))
    remove = f"or remove the bundle: `{shlex.join(('rm', '-r', str(whole(directory))))}`"
    why = (
        "the nearest directory above the bundle with a cfgc.toml"
        if is_project
        else "since no directory above the bundle has a cfgc.toml, which would mark a project"
    )
    return Diagnostic(
        "CFG732",
        f"`{root}`, the spec of the bundle `{directory}`, is not there",
        notes=(f"looked for in `{looked}`, {why}",),
        helps=(f"say where its spec is now: `{check}`", *((remove,) if is_project and not run_of(directory) else ())),
    )
