"""What files, directories and bundles are, as one line each. Nothing is imported that takes time."""

from __future__ import annotations

import hashlib
import os
import sys

from cfgc.load.raw import names_in, read_bounded
from cfgc.resources import PACKAGE, shipped_path

ABSENT = "absent"
_CACHE = "__pycache__"
_UNREAD = {_CACHE, "explanations"}
"""Directories of the package that no build reads."""


def digest_of(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def file_seen(path: str) -> str:
    """The digest of the file at ``path``, or why it has none."""
    try:
        return digest_of(read_bounded(path))
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as error:
        return digest_of(repr(error).encode())


def folder_seen(path: str) -> str:
    """The digest of the names in the directory at ``path``."""
    return names_digest(names_in(path))


def names_digest(names: tuple[str, ...] | None) -> str:
    """The digest of what a reader lists."""
    return ABSENT if names is None else digest_of("\0".join(names).encode("utf-8", "surrogateescape"))


def tree_seen(directory: str) -> tuple[str, int]:
    """The digest of all files below ``directory``, with what may be executed, and their number.

    Raises OSError where one is no regular file, or can't be read.
    """
    whole, count = hashlib.sha256(), 0
    for path in sorted(_files(directory)):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor that was opened without following links
            content = digest_of(file.read())
            executable = os.fstat(descriptor).st_mode & 0o100
        name = path[len(directory) :]
        whole.update(f"{content} {executable} {len(name)} {name}\n".encode("utf-8", "surrogateescape"))
        count += 1
    return whole.hexdigest(), count


def _files(directory: str) -> list[str]:
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                found.append(entry.path)
            elif entry.name != _CACHE:
                found += _files(entry.path)
    return found


_at_start: list[str] = []


def compiler_at_start() -> str:
    """What ``compiler_seen`` said when this process first asked; empty where it cannot be said."""
    if not _at_start:
        try:
            _at_start.append(compiler_seen())
        except OSError:
            _at_start.append("")
    return _at_start[0]


def compiler_seen() -> str:
    """One digest of this compiler: its files, its Python, and when packages were last installed beside it.

    Files are told apart as git does, by what the file system says of them: reading all would take as long as a build.
    Raises OSError where a part of it is in no directory.
    """
    found = [sys.version, repr(sys.flags), *sys.path]
    for directory in (PACKAGE, _runtime(), *map(shipped_path, ("templates", "specs", "runtime"))):
        found += [f"{path} {_stamp(os.stat(path))}" for path in sorted(_sources(directory))]  # noqa: PTH116
    for directory in sys.path:
        if directory.endswith("-packages"):
            found.append(str(_stamp(os.stat(directory))))  # noqa: PTH116
    return digest_of("\n".join(found).encode("utf-8", "surrogateescape"))


def _runtime() -> str:
    for directory in sys.path:
        package = f"{directory}/cfgc_runtime"
        if os.path.isfile(f"{package}/__init__.py"):  # noqa: PTH113
            return package
    raise FileNotFoundError("cfgc_runtime")


def _sources(directory: str) -> list[str]:
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_dir():
                found.append(entry.path)
            elif entry.name not in _UNREAD:
                found += _sources(entry.path)
    return found


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
