"""The files of a package that git knows: what a commit holds, and which of them are otherwise now."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cfgc.packing.patterns import is_no_code, is_taken
from cfgc.packing.problems import Problem, listed
from cfgc.packing.repository import Entry, GitError, Repository

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc.packing.settings import Settings

_NEVER = (".*", "*/.*", "__pycache__", "*/__pycache__/*", "node_modules", "*/node_modules/*")
_COMMITTED = "commit it, or let git ignore it"
_INCLUDE = 'write `dirty = "include"`, which packs it as it is, with a patch for the reviewer'


@dataclass(frozen=True)
class Tracked:
    """``entries`` are the package's files at ``commit``; ``changed`` are paths that are not as there, new ones too."""

    repository: Repository
    commit: str
    entries: tuple[Entry, ...]
    changed: tuple[str, ...]

    def contents(self) -> dict[str, bytes]:
        """The bytes of all files, as the commit has them."""
        blobs = self.repository.contents([entry.blob for entry in self.entries])
        return {entry.path: data for entry, data in zip(self.entries, blobs, strict=True)}


def read_tracked(place: Path | Repository, settings: Settings) -> Tracked | Problem:
    """What git knows of the package of the project at ``place``, or why it does not."""
    try:
        return _read(place if isinstance(place, Repository) else Repository.of(place), settings)
    except GitError as error:
        return _no_commit(str(error), settings)


def _read(repository: Repository, settings: Settings) -> Tracked | Problem:
    whole = repository.commit(settings.commit)
    everything = repository.files(whole)
    lying = () if settings.commit else repository.changed()
    folders = tuple(_no_code([*(entry.path for entry in everything), *(path for path, _ in lying)], settings))
    entries = tuple(entry for entry in _below(everything, settings) if _is_wanted(entry.path, settings, folders))
    if settings.commit:
        return Tracked(repository, whole, entries, ())
    commit = repository.newest(*_scope(settings, folders))
    if repository.is_cut_off(commit):
        return _shallow()
    known_too = settings.kind == "git"
    found = (path for path, known in lying if known or known_too)
    changed = (path.removeprefix(settings.below("")) for path in found if path.startswith(settings.below("")))
    return Tracked(
        repository, commit, entries, tuple(sorted(path for path in changed if _is_wanted(path, settings, folders)))
    )


def _below(everything: tuple[Entry, ...], settings: Settings) -> Iterator[Entry]:
    above = settings.below("")
    return (replace(one, path=one.path.removeprefix(above)) for one in everything if one.path.startswith(above))


def _is_wanted(path: str, settings: Settings, folders: tuple[str, ...]) -> bool:
    logical = settings.below(path)
    return is_taken(path, settings) and not any(logical.startswith(f"{folder}/") for folder in folders)


def _no_code(paths: Iterable[str], settings: Settings) -> Iterator[str]:
    """Directories that hold bundles, committed or not yet, and the one that they are built in."""
    held: dict[str, set[str]] = {}
    for path in paths:
        folder, name = posixpath.split(path)
        held.setdefault(folder, set()).add(name)
    yield settings.out
    yield from sorted(folder for folder, names in held.items() if folder and is_no_code(folder, names, settings.out))


def _scope(settings: Settings, folders: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Patterns of the project for git: what is taken, and what is not."""
    include = [settings.below(pattern) for pattern in settings.include]
    exclude = [settings.below(pattern) for pattern in (*settings.exclude, *_NEVER)]
    return include, [*exclude, *folders]


def _no_commit(said: str, settings: Settings) -> Problem:
    if settings.commit:
        why = f"there is no commit `{settings.commit}` here"
        return Problem("CFG753", why, "commit", "", (f"git says: {said}",), ("name a commit that `git log` lists",))
    helps = ('commit what is to be packed, or write `kind = "files"`, which needs no git',)
    return Problem("CFG753", "git has no commit of the project's files", notes=(f"git says: {said}",), helps=helps)


def _shallow() -> Problem:
    return Problem(
        "CFG753",
        "which commit the files are from is not known in a shallow clone",
        notes=("the newest commit that changed what is packed goes into the bundle, and the history ends before it",),
        helps=("get the whole history: `git fetch --unshallow`; in CI, `fetch-depth: 0`",),
    )


def not_as_committed(changed: tuple[str, ...], commit: str) -> Problem:
    """CFG754: what would be packed is in no commit."""
    return Problem(
        "CFG754",
        f"{len(changed)} {'file' if len(changed) == 1 else 'files'} of the package "
        f"{'is' if len(changed) == 1 else 'are'} not as commit {commit[:12]} has them",
        notes=(f"changed or new: {listed(list(changed))}",),
        helps=(_COMMITTED, _INCLUDE),
    )
