"""The run directory of one point of a sweep: its own state, and a link to the copy of the bundle that all share.

Standard library only.
"""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from cfgc_runtime.bundle_copy import copy_files
from cfgc_runtime.errors import BAD_BUNDLE, FULL, USAGE, Failure, describe_os_error
from cfgc_runtime.identity import claim
from cfgc_runtime.manifest import DELETE, REBUILD, verify_bundle
from cfgc_runtime.point import FOLDER, NAME, find_point
from cfgc_runtime.preflight.space import unwritable
from cfgc_runtime.rundir import ELSEWHERE, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory


def select_point(bundle: Path, run: RunDirectory, index: int) -> Path:
    """Make ``run`` the run directory of point ``index``; the bundle as that point has it.

    ``run`` is ``points/NAME`` below the run directory of the sweep, which gets a copy of ``bundle`` once, for all its
    points. Raises ``Failure`` when there is no such point, or the copy is of another sweep.
    """
    point, line = find_point(bundle, index)
    if run.root.parts[-2:] != (FOLDER, point.name):
        raise Failure(USAGE, f"point {index} belongs into {FOLDER}/{point.name} of the sweep's run directory")
    try:
        _prepare(bundle, run, line, f"point {index}")
    except OSError as error:
        if error.errno in FULL:
            raise
        raise unwritable(run.root, describe_os_error(error, run.root)) from None
    manifest = verify_bundle(run.bundle, DELETE)
    if not run.identity.exists():
        claim(run, manifest)
    return run.bundle


def _prepare(bundle: Path, run: RunDirectory, line: str, point: str) -> None:
    """The copy that all points share, the point's line, and its link to the copy."""
    sweep = run.root.parents[1]
    _share(bundle, sweep)
    run.root.mkdir(parents=True, exist_ok=True)
    own = run.root / NAME
    if own.exists() and own.read_text(encoding="utf-8") != line:
        raise Failure(BAD_BUNDLE, f"{own} is not the line of {point}: remove {run.root} to start it anew")
    if not own.exists():
        _write(own, line)
    if not run.bundle.is_symlink():
        with suppress(FileExistsError):
            run.bundle.symlink_to(os.path.relpath(sweep / "bundle", run.root))


def _share(bundle: Path, sweep: Path) -> None:
    """Copy ``bundle`` to ``sweep/bundle`` unless that was done. Many points do this at once: one rename wins."""
    place = sweep / "bundle"
    if place.exists():
        check_copy(bundle, sweep)
        return
    manifest = verify_bundle(bundle, REBUILD)
    sweep.mkdir(parents=True, exist_ok=True)
    temporary = sweep / f".bundle.{socket.gethostname()}.{os.getpid()}"
    try:
        copy_files(bundle, manifest, temporary)
        temporary.rename(place)
        sync_directory(sweep)
    except OSError:
        if not place.exists():
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    check_copy(bundle, sweep)


def check_copy(bundle: Path, sweep: Path) -> None:
    """Raise ``Failure`` unless the copy that the points of ``sweep`` share is of the same plan."""
    place = sweep / "bundle"
    if bundle.samefile(place):
        return
    mine, shared = verify_bundle(bundle, REBUILD), verify_bundle(place, DELETE)
    if mine.plan_digest != shared.plan_digest:
        raise Failure(
            BAD_BUNDLE,
            f"{sweep} belongs to another sweep: the points of {bundle} were compiled from other values\n"
            f"start in another run directory ({ELSEWHERE})",
        )


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
