"""What is at the place where a bundle is to go."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from cfgc.diagnostics import Diagnostic
from cfgc.emit.bundle import Bundle
from cfgc.load.disk import find_project
from cfgc.load.raw import PROJECT_FILE, SHIPPED
from cfgc.write import errors
from cfgc_runtime.manifest import LOG, SIGNATURE

MANIFEST = PurePosixPath("manifest.json")
_CACHE = "__pycache__"


def objections(bundle: Bundle, directory: Path) -> list[Diagnostic]:
    """Why ``bundle`` may not take the place of what is at ``directory``; empty when it may, or nothing is there."""
    if directory.is_symlink():
        return [errors.not_a_directory(directory, "a symbolic link")]
    if not os.path.lexists(directory):
        return []
    if not directory.is_dir():
        return [errors.not_a_directory(directory, "not a directory")]
    if not any(directory.iterdir()):
        return []
    theirs = _read_manifest(directory / MANIFEST)
    if theirs is None:
        return [errors.not_a_bundle(directory, "it holds files, and no manifest.json that cfgc wrote")]
    return _conflicts(bundle, directory, theirs, files_below(directory))


def misplaced(directory: Path) -> list[Diagnostic]:
    """Why no bundle may be at ``directory``, whatever is there: what is around it would suffer."""
    here = Path.cwd()
    if directory == here or directory in here.parents:
        return [errors.around_the_current_directory(directory)]
    around = [parent for parent in directory.parents if _read_manifest(parent / MANIFEST) is not None]
    return [errors.inside_a_bundle(directory, around[0])] if around else []


def refusals(bundle: Bundle, directory: Path) -> list[Diagnostic]:
    """Why a build would not put ``bundle`` at ``directory``; empty when it would. Looks and writes nothing."""
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - as the writer does, which follows no link
    return misplaced(place) or objections(bundle, directory)


def listed_files(directory: Path) -> frozenset[str]:
    """Files that the manifest of the bundle at ``directory`` lists; empty when there is no bundle."""
    theirs = _read_manifest(directory / MANIFEST)
    return frozenset(theirs["outputs"] if theirs else ())


def edited_files(directory: Path) -> list[str]:
    """Files of the bundle at ``directory`` that are not as its manifest says; empty when there is no bundle."""
    theirs = _read_manifest(directory / MANIFEST)
    outputs = theirs["outputs"] if theirs else {}
    return sorted(name for name, entry in outputs.items() if _digest(directory / name) not in {None, entry["sha256"]})


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _conflicts(bundle: Bundle, directory: Path, theirs: Mapping[str, Any], present: set[str]) -> list[Diagnostic]:
    found = []
    ours = json.loads(bundle.files[MANIFEST])
    unlisted = present - set(theirs["outputs"]) - {MANIFEST.as_posix()}
    if unlisted:
        found.append(errors.unlisted_files(directory, sorted(unlisted)))
    if theirs["root"] != ours["root"]:
        there = is_in_project(directory, theirs["root"])
        found.append(errors.another_root(directory, theirs["root"], ours["root"], there))
    return found


def is_in_project(directory: Path, root: str) -> bool | None:
    """Whether the project around ``directory`` has the spec ``root``; None when no project is around it."""
    if root.startswith(SHIPPED):
        return True
    project, _ = find_project(directory)
    if not (project / PROJECT_FILE).is_file():
        return None
    try:
        (project / root).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return None
    return True


def files_below(directory: Path) -> set[str]:
    """Everything that is no directory, as posix paths.

    Python's caches don't count, which come back by themselves, nor do logs of Slurm and the signature, which a build
    keeps.
    """
    found: set[str] = set()
    for base, directories, names in os.walk(directory, onerror=_raise):
        below = Path(base)
        directories[:] = [name for name in directories if name != _CACHE]
        links = [name for name in directories if (below / name).is_symlink()]
        found.update((below / name).relative_to(directory).as_posix() for name in (*names, *links))
    return found - {path.name for path in (*logs_in(directory), *signature_in(directory))}


def logs_in(directory: Path) -> list[Path]:
    """Logs of jobs that were submitted with plain sbatch in the bundle's directory."""
    named = [path for path in directory.iterdir() if LOG.fullmatch(path.name)]
    return [path for path in named if path.is_file() and not path.is_symlink()]


def signature_in(directory: Path) -> list[Path]:
    """The bundle's signature, if it has one: it holds for as long as the manifest's bytes do."""
    path = directory / SIGNATURE
    return [path] if path.is_file() and not path.is_symlink() else []


def is_equal(bundle: Bundle, directory: Path) -> bool:
    """True when ``directory`` holds the bundle's files and nothing else, with the right modes."""
    wanted = {path.as_posix() for path in bundle.files}
    try:
        return directory.is_dir() and not directory.is_symlink() and _holds(bundle, directory, wanted)
    except FileNotFoundError:
        return False  # another build is replacing it


def _holds(bundle: Bundle, directory: Path, wanted: set[str]) -> bool:
    return files_below(directory) == wanted and all(
        _is_file(directory / path, data, path in bundle.executable) for path, data in bundle.files.items()
    )


def _is_file(path: Path, data: bytes, executable: bool) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    return bool(path.stat().st_mode & 0o100) == executable and path.read_bytes() == data


def _read_manifest(path: Path) -> Mapping[str, Any] | None:
    """The manifest, or None for what cfgc did not write."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("outputs"), dict):
        return None
    return found if isinstance(found.get("root"), str) and "bundle_digest" in found else None


def _raise(error: OSError) -> None:
    raise error
