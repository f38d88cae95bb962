"""The run's own copy of its bundle: made once, and exchanged for one that trains the same. Standard library only."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from cfgc_runtime.checkpoints.complete import newest_first
from cfgc_runtime.errors import BAD_BUNDLE
from cfgc_runtime.guard import check_changes, summary
from cfgc_runtime.identity import claim
from cfgc_runtime.manifest import DELETE, NAME, SIGNATURE, Manifest, verify_bundle
from cfgc_runtime.rundir import sync_directory
from cfgc_runtime.values import compare, read_values

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.values import Difference


def changes_since(bundle: Path, run: RunDirectory, manifest: Manifest) -> tuple[list[Difference], Manifest]:
    """What ``bundle`` changes of the run's own copy, whose manifest comes too.

    Raises ``Failure`` when the copy is damaged, or when a run may not go on with the changes.
    """
    staged = verify_bundle(run.bundle, DELETE)
    if staged.plan_digest == manifest.plan_digest:
        return [], staged
    values = read_values(bundle)
    found = compare(read_values(run.bundle), values)
    saved = run.checkpoints.is_dir() and bool(newest_first(run.checkpoints))
    check_changes(found, values, BAD_BUNDLE, str(run.root), saved)
    return found, staged


def take_bundle(bundle: Path, run: RunDirectory, manifest: Manifest) -> str:
    """Make ``run.bundle`` the copy that the next attempt executes; what there is to say of it.

    The copy appears by one rename. An older one is kept as ``bundle-001`` and so on; a run that was killed between
    taking the old one away and putting the new one there gets the old one back, and is asked again.
    """
    for leftover in run.root.glob(".bundle.*"):
        shutil.rmtree(leftover)
    for leftover in run.root.glob(f".{run.identity.name}.*"):
        leftover.unlink()
    kept = sorted(run.root.glob("bundle-*"))
    if not run.bundle.exists() and kept:
        kept.pop().rename(run.bundle)
    if not run.bundle.exists():
        _copy(bundle, run, manifest).rename(run.bundle)
        return ""
    changes, staged = changes_since(bundle, run, manifest)
    if staged.plan_digest == manifest.plan_digest:
        same = staged.bundle_digest == manifest.bundle_digest
        return "" if same else " · the bundle was rebuilt since, with the same plan; the first copy is used"
    if any(one.kind == "numerics" for one in changes):
        run.finished.unlink(missing_ok=True)
    older = run.root / f"bundle-{len(kept) + 1:03d}"
    temporary = _copy(bundle, run, manifest)
    run.bundle.rename(older)
    temporary.rename(run.bundle)
    sync_directory(run.root)
    return f" · goes on with the new bundle (the old one is {older.name}): {summary(changes) or 'compiled otherwise'}"


def _copy(bundle: Path, run: RunDirectory, manifest: Manifest) -> Path:
    """Copy ``bundle`` beside its place, and say whose run directory this is."""
    temporary = run.root / f".bundle.{os.getpid()}"
    copy_files(bundle, manifest, temporary)
    claim(run, manifest)
    return temporary


def copy_files(bundle: Path, manifest: Manifest, place: Path) -> None:
    """Copy to ``place`` what ``manifest`` lists, itself, and its signature."""
    signed = [SIGNATURE] if (bundle / SIGNATURE).is_file() else []
    for name in (*manifest.outputs, NAME, *signed):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes((bundle / name).read_bytes())  # shutil blames the source for a full disk
        shutil.copymode(bundle / name, place / name)
