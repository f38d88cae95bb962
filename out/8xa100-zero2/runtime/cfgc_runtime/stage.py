"""Give a run directory its own copy of the bundle, once. Standard library only."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from cfgc_runtime.attempt import create_attempt
from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.manifest import Manifest, verify_bundle
from cfgc_runtime.rundir import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory


def stage_bundle(bundle: Path, run: RunDirectory) -> str:
    """Prepare the next attempt and say what it will do, in one line.

    The first attempt copies ``bundle`` to ``run.bundle``; later ones use that copy, so that a rebuild cannot change
    a run half way. Raises ``Failure`` when either is damaged, or when the plans differ.
    """
    manifest = verify_bundle(bundle)
    if not run.bundle.exists():
        _copy(bundle, run, manifest)
    staged = verify_bundle(run.bundle)
    if staged.plan_digest != manifest.plan_digest:
        raise Failure(
            BAD_BUNDLE,
            f"{run.root} belongs to another plan ({staged.plan_digest[:19]}…) than {bundle} "
            f"({manifest.plan_digest[:19]}…); start the new plan in another run directory (launch.sh --run-dir DIR, "
            "or CFGC_RUN_DIR=DIR on Slurm), or move the old run away",
        )
    if run.read_finished(staged.plan_digest) is not None:
        return f"{staged.experiment} is already finished; nothing to do"
    attempt = create_attempt(run)
    same = staged.bundle_digest == manifest.bundle_digest
    note = "" if same else " · the bundle was rebuilt since, with the same plan; the first copy is used"
    return f"{staged.experiment} attempt {int(attempt.path.name)} in {run.root}{note}"


def _copy(bundle: Path, run: RunDirectory, manifest: Manifest) -> None:
    run.root.mkdir(parents=True, exist_ok=True)
    temporary = run.root / f".bundle.{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(bundle, temporary)
    temporary.rename(run.bundle)
    identity = {
        "format": 1,
        "experiment": manifest.experiment,
        "plan_digest": manifest.plan_digest,
        "bundle_digest": manifest.bundle_digest,
    }
    write_json(run.identity, identity)
