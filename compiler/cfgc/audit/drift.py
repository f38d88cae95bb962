"""Does a directory hold the bundle that a build would write, and if not, what of it differs?"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeAlias

from cfgc.audit.bundle_on_disk import BundleOnDisk, DirectoryFiles, bundle_at, bundle_in_memory
from cfgc.audit.comparing import Comparison, compare_bundles
from cfgc.audit.drift_road import whole
from cfgc.diagnostics import Rejected
from cfgc.emit.bundle import Bundle
from cfgc.stages.layer import FOLDER
from cfgc.write.existing import edited_files, is_equal, listed_files

How: TypeAlias = Literal[
    "stale", "edited by hand", "missing", "added", "is to be executable", "is not to be executable"
]

_FOLLOWING: Final = frozenset({"manifest.json", "values.json", "origins.json", "points.jsonl"})
"""Files for programs: what differs in them is said by value, or by another file."""
_RUNTIME: Final = "runtime"


@dataclass(frozen=True)
class FileDrift:
    """A file that is not as a build would write it; ``lines`` are a unified diff of a text that people read."""

    path: PurePosixPath
    how: How
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drift:
    """What a build of ``root`` would change at ``directory``.

    ``comparison`` is None where there is no bundle that can be read, or only files were edited.
    """

    directory: Path
    root: str
    exists: bool
    files: tuple[FileDrift, ...] = ()
    comparison: Comparison | None = None


def drift_of(bundle: Bundle, directory: Path, root: str) -> Drift | None:
    """What ``bundle``, just compiled from ``root``, would change at ``directory``; None for nothing.

    Where a stage of the pipeline ``bundle`` lies there, by itself or in its place, that stage is compared with it.
    Looks and writes nothing. Raises OSError when a file there cannot be read.
    """
    bundle = _stage_at(bundle, directory)
    if is_equal(bundle, directory):
        return None
    if not directory.is_dir():
        return Drift(directory, root, exists=False)
    files = tuple(_files(bundle, directory, f"{root}, built now"))
    return Drift(directory, root, exists=True, files=files, comparison=_compared(bundle, directory, root))


def _stage_at(bundle: Bundle, directory: Path) -> Bundle:
    """The stage of ``bundle`` that lies at ``directory``; ``bundle`` where none does."""
    new = bundle_in_memory(bundle, bundle.name)
    name = _name_of_stage(new, directory) if new.is_pipeline else None
    if name is None or name not in new.needs:
        return bundle
    below = PurePosixPath(FOLDER, name)
    executable = (path.relative_to(below) for path in bundle.executable if path.is_relative_to(below))
    return Bundle(name, new.stages[name].files, frozenset(executable))


def _name_of_stage(pipeline: BundleOnDisk, directory: Path) -> str | None:
    """By its place in a pipeline; of a copy elsewhere, by what its manifest says."""
    if whole(directory) != directory:
        return Path(os.path.abspath(directory)).name  # noqa: PTH100 - the place, and not what a link there leads to
    try:
        said = bundle_at(directory).manifest["experiment"]
    except Rejected:
        return None
    return next((name for name, stage in pipeline.stages.items() if stage.manifest["experiment"] == said), None)


def _compared(bundle: Bundle, directory: Path, root: str) -> Comparison | None:
    try:
        old = bundle_at(directory)
        comparison = compare_bundles(old, bundle_in_memory(bundle, f"{root}, built now"))
    except Rejected:
        return None  # of a bundle that was edited: the files say what is wrong
    return None if comparison.is_same else comparison


def _files(bundle: Bundle, directory: Path, new: str) -> Iterator[FileDrift]:
    there = DirectoryFiles(directory)
    edited, listed = set(edited_files(directory)), listed_files(directory)
    for path in sorted({*bundle.files, *there}):
        wanted, found = bundle.files.get(path), there.get(path)
        if wanted is None and path.as_posix() not in listed:
            yield FileDrift(path, "added")
        elif found is None:
            yield FileDrift(path, "missing")
        elif wanted != found:
            how: How = "edited by hand" if path.as_posix() in edited else "stale"
            yield FileDrift(path, how, _diff(path, directory, found, wanted or b"", new))
        elif ((directory / path).stat().st_mode & 0o100 > 0) != (path in bundle.executable):
            yield FileDrift(path, "is to be executable" if path in bundle.executable else "is not to be executable")


def _diff(path: PurePosixPath, directory: Path, found: bytes, wanted: bytes, new: str) -> tuple[str, ...]:
    """Nothing for what no person reads: the manifest, the runtime, files that are no text."""
    if path.name in _FOLLOWING or _RUNTIME in path.parts or b"\0" in found + wanted:
        return ()
    try:
        old, now = found.decode().splitlines(), wanted.decode().splitlines()
    except UnicodeDecodeError:
        return ()
    return tuple(difflib.unified_diff(old, now, str(directory / path), f"{path.as_posix()} of {new}", n=1, lineterm=""))
