"""What a start would find in the run directory, asked before a job is queued for it. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc_runtime.manifest import REBUILD, verify_bundle
from cfgc_runtime.point import FOLDER, read_points
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.sharing import check_copy
from cfgc_runtime.stage import already_finished, has_finished

if TYPE_CHECKING:
    from pathlib import Path


def look(bundle: Path, run: RunDirectory, wanted: str = "") -> str:
    """Why there is nothing to do, in one line; empty when there is. Of a sweep, ``wanted`` names points: ``0,4-6``.

    Raises ``Failure`` where ``stage`` would refuse the bundle: it is damaged, or the run in this directory has other
    values. Nothing is written.
    """
    manifest = verify_bundle(bundle, REBUILD)
    points = read_points(bundle)
    if not points:
        return already_finished(manifest) if has_finished(bundle, run, manifest) else ""
    if not run.bundle.exists():
        return ""
    check_copy(bundle, run.root)
    finished = (
        RunDirectory(run.root / FOLDER / points[index].name).read_finished(points[index].plan_digest)
        for index in _indexes(wanted)
    )
    return f"all of these points have already finished ({wanted}); nothing to do" if all(finished) else ""


def _indexes(wanted: str) -> list[int]:
    """The points of ``0,4-6``, which submit.sh has checked."""
    ends = [part.partition("-") for part in wanted.split(",")]
    return [index for first, _, last in ends for index in range(int(first), int(last or first) + 1)]
