"""How a directory comes to hold what its spec gives: by which build, and what stands in its way."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cfgc.audit.bundle_on_disk import MANIFEST
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.emit.bundle import Bundle
from cfgc.runs.facts import is_run
from cfgc.stages.layer import FOLDER
from cfgc.write.errors import not_readable
from cfgc.write.existing import refusals


@dataclass(frozen=True)
class Road:
    """``command`` builds it, unless there are ``refusals``; ``run`` is the run directory whose copy it is, if any."""

    command: str
    refusals: tuple[Diagnostic, ...] = ()
    run: Path | None = None


def road_to(bundle: Bundle, directory: Path, words: Sequence[str]) -> Road:
    """The road from ``words``, a spec and its overrides, to ``bundle`` at ``directory``. Raises ``Rejected``."""
    build = ("cfgc", "build", *words)
    if run := run_of(directory):
        return Road(shlex.join(build), run=run)
    place = whole(directory)
    try:
        refused = tuple(refusals(bundle, place))
    except OSError as error:
        raise Rejected([not_readable(place, error)]) from error
    return Road(shlex.join((*build, "-o", str(place))), refused)


def whole(directory: Path) -> Path:
    """What is built: ``directory``, or of a stage in its place the pipeline around it, as seen from here."""
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - resolve() would follow a link out of the pipeline
    around = place.parent.parent
    if place.parent.name == FOLDER and (around / MANIFEST).is_file():
        return around if directory.is_absolute() else Path(os.path.relpath(around))
    return directory


def run_of(directory: Path) -> Path | None:
    """The run directory that keeps ``directory`` as the bundle that it ran."""
    return directory.parent if directory.name == "bundle" and is_run(directory.parent) else None
