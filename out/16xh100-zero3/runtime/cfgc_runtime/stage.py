"""Give a run directory its own copy of the bundle, once, and open an attempt. Standard library only."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from cfgc_runtime.attempt import create_attempt
from cfgc_runtime.config import load_config
from cfgc_runtime.errors import BAD_BUNDLE, CANNOT_WRITE, FULL, Failure, describe_os_error
from cfgc_runtime.lock import alone
from cfgc_runtime.manifest import DELETE, NAME, REBUILD, Manifest, verify_bundle
from cfgc_runtime.releases import check_releases
from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory


def stage_bundle(bundle: Path, run: RunDirectory) -> str:
    """Prepare the next attempt and say what it will do, in one line.

    The first attempt copies ``bundle`` to ``run.bundle``; later ones use that copy, so that a rebuild cannot change
    a run half way. Raises ``Failure`` when either is damaged, when the plans differ, when this run is alive, or when
    this machine lacks what the bundle needs; nothing has changed then.
    """
    is_copy = run.bundle.exists() and bundle.samefile(run.bundle)
    manifest = verify_bundle(bundle, DELETE if is_copy else REBUILD)
    if _finished(bundle, run, manifest):
        return f"{manifest.experiment} is already finished; nothing to do"
    check_releases(load_config(bundle / "config.py").TARGET)
    try:
        run.root.mkdir(parents=True, exist_ok=True)
        with alone(run):
            return _open(bundle, run, manifest)
    except OSError as error:
        if error.errno in FULL:
            raise
        reason = describe_os_error(error, run.root)
        raise Failure(
            CANNOT_WRITE,
            f"the run directory {run.root} cannot be written ({reason}); choose another one "
            "(launch.sh --run-dir DIR, or CFGC_RUN_DIR=DIR on Slurm)",
        ) from None


def _finished(bundle: Path, run: RunDirectory, manifest: Manifest) -> bool:
    if not run.bundle.exists():
        return False
    _staged(bundle, run, manifest)
    return run.read_finished(manifest.plan_digest) is not None


def _open(bundle: Path, run: RunDirectory, manifest: Manifest) -> str:
    """Copy the bundle unless that was done, and create an attempt."""
    for leftover in run.root.glob(".bundle.*"):
        shutil.rmtree(leftover)
    if not run.bundle.exists():
        _copy(bundle, run, manifest)
    staged = _staged(bundle, run, manifest)
    attempt = create_attempt(run)
    same = staged.bundle_digest == manifest.bundle_digest
    note = "" if same else " · the bundle was rebuilt since, with the same plan; the first copy is used"
    note += f" · {run.finished.name} is damaged and ignored" if run.finished.exists() else ""
    return f"{staged.experiment} attempt {int(attempt.path.name)} in {run.root}{note}"


def _staged(bundle: Path, run: RunDirectory, manifest: Manifest) -> Manifest:
    """The manifest of the run's own copy. Raises ``Failure`` when it is damaged or of another plan."""
    staged = verify_bundle(run.bundle, DELETE)
    if staged.plan_digest != manifest.plan_digest:
        raise Failure(
            BAD_BUNDLE,
            f"{run.root} belongs to another plan ({staged.plan_digest[:19]}…) than {bundle} "
            f"({manifest.plan_digest[:19]}…); start the new plan in another run directory (launch.sh --run-dir DIR, "
            "or CFGC_RUN_DIR=DIR on Slurm), or move the old run away",
        )
    return staged


def _copy(bundle: Path, run: RunDirectory, manifest: Manifest) -> None:
    """Copy ``bundle`` and say whose run directory this is; the copy comes last, and makes both valid."""
    temporary = run.root / f".bundle.{os.getpid()}"
    for name in (*manifest.outputs, NAME):
        (temporary / name).parent.mkdir(parents=True, exist_ok=True)
        (temporary / name).write_bytes((bundle / name).read_bytes())  # shutil blames the source for a full disk
        shutil.copymode(bundle / name, temporary / name)
    identity = {
        "format": 1,
        "experiment": manifest.experiment,
        "plan_digest": manifest.plan_digest,
        "bundle_digest": manifest.bundle_digest,
    }
    write_json(run.identity, identity)
    temporary.rename(run.bundle)
