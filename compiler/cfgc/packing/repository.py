"""What git knows of a project's files. Reads only: the index is left as it is."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SETTINGS: Final = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_KEPT: Final = ("GIT_CONFIG_", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
"""Variables of git's that count; the others say which repository a hook runs for, and how."""
_HEAD: Final = "HEAD"
_FILE: Final = ("100644", "100755")
_ODD: Final[Mapping[str, str]] = {"120000": "a link", "160000": "a submodule, which has commits of its own"}


class GitError(Exception):
    """What git said, its last line."""


@dataclass(frozen=True)
class Entry:
    """A path of a commit; ``odd`` says what it is when it is no file."""

    path: str
    blob: str
    size: int
    odd: str = ""


@dataclass(frozen=True)
class Repository:
    """The repository of the directory ``root``, and the project in it.

    ``prefix`` is the way from its top to the project, ending in ``/`` or empty. ``revision`` is what is read; without
    one it is HEAD, and what lies in the directory counts.
    """

    root: Path
    prefix: str
    revision: str = ""

    @classmethod
    def of(cls, root: Path) -> Repository:
        """Raises ``GitError`` when there is none, or no git."""
        return cls(root, _git(root, "rev-parse", "--show-prefix").decode(errors="surrogateescape").rstrip("\n"))

    def commit(self, name: str) -> str:
        """The whole name of ``name``, or of what is read. Raises ``GitError`` when there is no such commit."""
        asked = f"{name or self.revision or _HEAD}^{{commit}}"
        return _git(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", asked).decode().strip()

    def newest(self, include: Iterable[str], exclude: Iterable[str]) -> str:
        """The newest commit that changed what the patterns take; HEAD when none did.

        Not HEAD at once: a commit of something else, such as of the bundle itself, changes no package.
        """
        whole, above = self.commit(""), _literal(self.prefix)
        wanted = [f":(top){above}{_escaped(pattern)}" for pattern in include]
        unwanted = [f":(top,exclude){above}{_escaped(pattern)}" for pattern in exclude]
        return _git(self.root, "rev-list", "-1", whole, "--", *wanted, *unwanted).decode().strip() or whole

    def is_cut_off(self, commit: str) -> bool:
        """Whether ``commit`` is where a shallow clone ends, so that it seems to have made all that it holds."""
        place = self.root / _git(self.root, "rev-parse", "--git-path", "shallow").decode().strip()
        return place.is_file() and commit in place.read_text(encoding="ascii").split()

    def files(self, commit: str) -> tuple[Entry, ...]:
        """Everything below the root at ``commit``."""
        listed = _git(self.root, "ls-tree", "-r", "-l", "-z", "--full-tree", commit)
        found = (_entry(line) for line in listed.split(b"\0") if line)
        skip = len(self.prefix)
        return tuple(
            Entry(entry.path[skip:], entry.blob, entry.size, entry.odd)
            for entry in found
            if entry.path.startswith(self.prefix)
        )

    def contents(self, blobs: Sequence[str]) -> list[bytes]:
        """The bytes of each of ``blobs``."""
        found = _git(self.root, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode())
        contents, at = [], 0
        for _ in blobs:
            end = found.index(b"\n", at)
            size = int(found[at:end].split()[-1])
            contents.append(found[end + 1 : end + 1 + size])
            at = end + 1 + size + 1
        return contents

    def changed(self) -> tuple[tuple[str, bool], ...]:
        """Paths that are not as HEAD has them, with whether git knows them; what it is told to ignore is left out.

        None where a revision is read.
        """
        if self.revision:
            return ()
        options = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
        lines = _git(self.root, "status", *options, "--", ".").split(b"\0")
        found = ((_decoded(line[3:]), not line.startswith(b"??")) for line in lines if line)
        return tuple((path[len(self.prefix) :], known) for path, known in found if path.startswith(self.prefix))


def _git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    own = {name: value for name, value in os.environ.items() if name.startswith(_KEPT) or not name.startswith("GIT_")}
    environment = {**own, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-C", os.fspath(root), *_SETTINGS, *arguments]
    try:
        done = subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False)
    except (OSError, ValueError) as error:
        raise GitError(f"git cannot be started: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(said[0].removeprefix("fatal: ") if said else f"git {arguments[0]} found nothing")
    return done.stdout


def _entry(line: bytes) -> Entry:
    told, _, path = line.partition(b"\t")
    mode, _, blob, size = told.decode().split()
    odd = "" if mode in _FILE else _ODD.get(mode, "no file")
    return Entry(_decoded(path), blob, 0 if size == "-" else int(size), odd)


def _decoded(path: bytes) -> str:
    return path.decode(errors="surrogateescape")


def _literal(path: str) -> str:
    return re.sub(r"([\\*?\[])", r"\\\1", path)


def _escaped(pattern: str) -> str:
    """Git takes a backslash as one before what is meant as it is; a pattern of ours has none of that."""
    return pattern.replace("\\", "\\\\")
