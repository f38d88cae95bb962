"""The write phase: a bundle reaches its directory whole, or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from cfgc.diagnostics import Rejected
from cfgc.emit.bundle import Bundle
from cfgc.write.errors import not_written
from cfgc.write.exchange import put_in_place
from cfgc.write.existing import MANIFEST, is_equal, logs_in, misplaced, objections, signature_in
from cfgc.write.scratch import scratch_prefix
from cfgc.write.tree import sync, write_tree

Outcome = Literal["written", "unchanged", "replaced"]

_OLD = "old"


def write_bundle(bundle: Bundle, directory: Path) -> Outcome:
    """Make ``directory`` hold exactly ``bundle``; equal bytes touch nothing.

    Builds in one parent directory wait for each other, and the last one stays. A build that was killed leaves the
    old bundle and a hidden directory, which the next build deletes. Raises ``Rejected`` (CFG7xx).
    """
    target = Path(os.path.abspath(directory))  # noqa: PTH100 - resolve() would follow a link that is to be refused
    try:
        refused = misplaced(target)
        if refused:
            raise Rejected(refused)
        if is_equal(bundle, target) and not _leftovers(target):
            return "unchanged"
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.parent) as alone:
            if alone:
                _sweep(target)
            return _replace(bundle, target)
    except OSError as error:
        raise Rejected([not_written(directory, error)]) from error


def _replace(bundle: Bundle, target: Path) -> Outcome:
    """Look again, because another build may have come first, then exchange the whole directory."""
    if is_equal(bundle, target):
        return "unchanged"
    refused = objections(bundle, target)
    if refused:
        raise Rejected(refused)
    outcome: Outcome = "replaced" if os.path.lexists(target) else "written"
    scratch = Path(tempfile.mkdtemp(prefix=scratch_prefix(target.name), dir=target.parent))
    try:
        write_tree(bundle, scratch / "new")
        for kept in _kept(bundle, target) if outcome == "replaced" else ():
            _keep(kept, scratch / "new" / kept.name)
        put_in_place(scratch / "new", target, scratch / _OLD)
        sync(target.parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return outcome


def _kept(bundle: Bundle, target: Path) -> list[Path]:
    """What is beside the bundle's files and stays: logs, and the signature where it is of the new manifest too."""
    manifest = target / MANIFEST
    same = manifest.is_file() and manifest.read_bytes() == bundle.files.get(MANIFEST)
    return [*logs_in(target), *(signature_in(target) if same else ())]


def _keep(path: Path, place: Path) -> None:
    """The file itself, since a job may still be writing a log; a copy where the file system has no links."""
    try:
        os.link(path, place)
    except OSError:
        shutil.copy2(path, place)


@contextmanager
def _alone(parent: Path) -> Iterator[bool]:
    """Wait until no other build writes below ``parent``; False where the file system has no locks (some NFS)."""
    descriptor = os.open(parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _leftovers(target: Path) -> list[Path]:
    """Scratch directories of builds that run now, or were killed."""
    return sorted(path for path in target.parent.iterdir() if path.name.startswith(scratch_prefix(target.name)))


def _sweep(target: Path) -> None:
    """Delete what killed builds left; a bundle that was set aside, and not replaced any more, goes back first."""
    for scratch in _leftovers(target):
        if (scratch / _OLD).is_dir() and not os.path.lexists(target):
            (scratch / _OLD).rename(target)
        shutil.rmtree(scratch, ignore_errors=True)
