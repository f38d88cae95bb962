"""What a revision of git holds: specs that are read from it, and bundles. Nothing is checked out."""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from cfgc.audit import git_errors as errors
from cfgc.diagnostics import Rejected
from cfgc.load.raw import MAX_BYTES, PROJECT_FILE, SHIPPED, TooLargeError
from cfgc.load.reader import Reader
from cfgc.packing.repository import Repository

_FOLDER: Final = "tree"
_FILE: Final = "blob"
_MANIFEST: Final = "manifest.json"
_LAUNCHER: Final = "launch.sh"
_LINK: Final = "120000"
_UNFOLLOWED: Final = {"symlink": "it is a link that leads out of the repository", "loop": "it is a link to itself"}


@dataclass(frozen=True)
class _Object:
    """What git has at a path: nothing, unless it says otherwise."""

    kind: str = ""
    id: str = ""
    content: bytes = b""


@dataclass(frozen=True)
class Tree:
    """All files of a revision, by path from the repository's root; links in it are followed."""

    revision: str
    directory: Path
    id: str

    def kind(self, path: str) -> str:
        """``blob`` for a file, ``tree`` for a folder, another word for what cannot be read; empty for nothing."""
        return self._found(path, "--batch-check").kind

    def read(self, path: str) -> bytes | None:
        """The file at ``path``; None when there is none. Raises OSError when it cannot be read."""
        found = self._found(path, "--batch")
        if found.kind == _FOLDER:
            raise IsADirectoryError
        if found.kind in _UNFOLLOWED:
            raise OSError(_UNFOLLOWED[found.kind])
        return found.content if found.kind == _FILE else None

    def entries(self, path: str) -> tuple[str, ...] | None:
        """Names in the folder ``path``, sorted, those of folders with a ``/``; None when there is none."""
        folder = self._found(path, "--batch-check")
        if folder.kind != _FOLDER:
            return None
        names = []
        for mode, kind, _, name in self._listed(folder.id):
            inner = self.kind(posixpath.join(path, name)) if mode == _LINK else kind
            names.append(name if inner == _FILE else f"{name}/")
        return tuple(sorted(names))

    def names_below(self, path: str) -> list[PurePosixPath]:
        """The paths of every file below the folder ``path``, from there."""
        folder = self._found(path, "--batch-check").id
        return [PurePosixPath(name) for _, kind, _, name in self._listed(folder, "-r") if kind == _FILE]

    def files_below(self, path: str) -> Mapping[PurePosixPath, bytes]:
        """Every file below the folder ``path``; of a link, where it leads to, as text."""
        folder = self._found(path, "--batch-check").id
        listed = [(name, blob) for _, kind, blob, name in self._listed(folder, "-r") if kind == _FILE]
        contents = self._blobs([blob for _, blob in listed])
        return {PurePosixPath(name): content for (name, _), content in zip(listed, contents, strict=True)}

    def _found(self, path: str, how: str) -> _Object:
        if "\n" in path or path.startswith("../") or path == "..":
            return _Object()
        asked = f"{self.id}:{'' if path == '.' else path}\n".encode(errors="surrogateescape")
        head, _, content = _git(self.directory, "cat-file", how, "--follow-symlinks", given=asked).partition(b"\n")
        first, *words = head.decode(errors="replace").split(" ")
        if first in _UNFOLLOWED:
            return _Object(first)
        if first.startswith(f"{self.id}:") or len(words) != 2:
            return _Object()
        return _Object(words[0], first, content[: int(words[1])])

    def _listed(self, tree: str, *options: str) -> Iterator[tuple[str, str, str, str]]:
        """Mode, kind, id and name of each entry."""
        for line in _git(self.directory, "ls-tree", "--full-tree", "-z", *options, tree).split(b"\0")[:-1]:
            said, _, name = line.partition(b"\t")
            mode, kind, found = said.decode().split()
            yield mode, kind, found, name.decode(errors="surrogateescape")

    def _blobs(self, ids: Sequence[str]) -> Iterator[bytes]:
        told = _git(self.directory, "cat-file", "--batch", given="".join(f"{one}\n" for one in ids).encode())
        at = 0
        for _ in ids:
            end = told.index(b"\n", at)
            start, size = end + 1, int(told[at:end].split()[2])
            yield told[start : start + size]
            at = start + size + 1


class TreeReader:
    """Specs of the project at ``root`` of a revision; shipped ones are those of this cfgc."""

    def __init__(self, tree: Tree, root: str, shipped: Reader) -> None:
        self._tree = tree
        self._root = root
        self._shipped = shipped

    def read(self, logical: str) -> bytes | None:
        """The bytes of ``logical``; None when there is no such file. Raises OSError when it can't be read."""
        if logical.startswith(SHIPPED):
            return self._shipped.read(logical)
        data = self._tree.read(self._path(logical))
        if data is not None and len(data) > MAX_BYTES:
            raise TooLargeError(len(data))
        return data

    def entries(self, folder: str) -> tuple[str, ...] | None:
        """Names in ``folder``, sorted, those of directories with a ``/``; None when it can't be listed."""
        return self._shipped.entries(folder) if folder.startswith(SHIPPED) else self._tree.entries(self._path(folder))

    @property
    def repository(self) -> Repository:
        """Where a package of the spec is found: the project in the revision."""
        prefix = posixpath.normpath(self._root or ".")
        return Repository(self._tree.directory, "" if prefix == "." else f"{prefix}/", self._tree.revision)

    def _path(self, logical: str) -> str:
        return posixpath.normpath(posixpath.join(self._root, logical))


@dataclass(frozen=True)
class InRevision:
    """A ``path`` from the repository's root, in a revision, as somebody ``named`` it: ``HEAD~1:specs/a.toml``."""

    named: str
    tree: Tree
    path: str

    @cached_property
    def kind(self) -> str:
        """``blob`` or ``tree``."""
        return self.tree.kind(self.path)

    def project(self) -> tuple[str, str]:
        """The root of the spec's project in the repository, and the spec's logical name."""
        path = PurePosixPath(self.path)
        for folder in path.parents:
            marker = (folder / PROJECT_FILE).as_posix()
            if marker != self.path and self.tree.kind(marker) == _FILE:
                return folder.as_posix(), path.relative_to(folder).as_posix()
        return path.parent.as_posix(), path.name

    def bundles(self) -> Mapping[str, Mapping[PurePosixPath, bytes]]:
        """The files of the folder if it is a bundle, under ``.``; or else of the bundles below it, sorted."""
        names = set(self.tree.names_below(self.path))
        found = {name.parent for name in names if name.name == _MANIFEST and name.parent / _LAUNCHER in names}
        outermost = sorted(folder for folder in found if not found.intersection(folder.parents))
        places = {folder.as_posix(): posixpath.normpath(posixpath.join(self.path, folder)) for folder in outermost}
        return {folder: self.tree.files_below(place) for folder, place in places.items()}

    def files(self) -> Mapping[PurePosixPath, bytes]:
        """What the folder holds."""
        return self.tree.files_below(self.path)


def split_revision(text: str) -> tuple[str, str] | None:
    """``HEAD~1`` and ``specs/a.toml`` of ``HEAD~1:specs/a.toml``; None when no revision is named."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if char == ":" and depth <= 0:
            return (text[:place], text[place + 1 :]) if place else None
    return None


def find_in_revision(named: str, directory: Path) -> InRevision:
    """What ``REV:PATH`` names in the repository around ``directory``, as git reads it: from the repository's root, or
    from ``directory`` for ``./`` and ``../``. Raises ``Rejected`` when there is nothing there.
    """
    parts = split_revision(named)
    assert parts is not None, "the caller has looked for the revision"
    revision, path = parts
    try:
        above = _git(directory, "rev-parse", "--show-prefix").decode(errors="surrogateescape").removesuffix("\n")
        tree = _git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}")
    except _GitError as error:
        raise Rejected([errors.no_revision(named, revision, str(error))]) from None
    below = posixpath.join(above, path) if path.startswith(("./", "../")) or path in {".", ".."} else path
    found = InRevision(named, Tree(revision, directory, tree.decode().strip()), posixpath.normpath(below))
    if found.kind not in (_FILE, _FOLDER):
        beside = posixpath.normpath(posixpath.join(above, path))
        near = beside if beside != found.path and found.tree.kind(beside) in (_FILE, _FOLDER) else ""
        raise Rejected([errors.not_in_revision(named, revision, found.path, near)])
    return found


class _GitError(OSError):
    """git refused; its text is why, in git's own words."""


def _git(directory: Path, *arguments: str, given: bytes = b"") -> bytes:
    env = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=directory, input=given, capture_output=True, env=env, check=False
        )
    except FileNotFoundError:
        raise _GitError("git is not installed here") from None
    except ValueError as error:
        raise _GitError(str(error)) from None
    if done.returncode:
        raise _GitError(done.stderr.decode(errors="replace").strip())
    return done.stdout
