"""Reading from disk: a project's files and the shipped specs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cfgc.load.reader import MAX_BYTES, SHIPPED, TooLargeError

PROJECT_FILE = "cfgc.toml"
"""The file that marks a project's root, and says what holds for all of its specs."""


class DiskReader:
    """A reader of the project at ``root`` and the ``shipped`` specs."""

    def __init__(self, root: Path, shipped: Path) -> None:
        self.root = root
        self._shipped = shipped

    def read(self, logical: str) -> bytes | None:
        """The bytes of ``logical``; None when there is no such file. Raises OSError when it can't be read."""
        try:
            return read_bounded(self._path(logical))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def entries(self, folder: str) -> tuple[str, ...] | None:
        """Names in ``folder``, sorted, those of directories with a ``/``; None when it can't be listed."""
        try:
            with os.scandir(self._path(folder)) as found:
                return tuple(sorted(f"{entry.name}/" if _is_folder(entry) else entry.name for entry in found))
        except (OSError, ValueError):
            return None

    def _path(self, logical: str) -> Path:
        if logical.startswith(SHIPPED):
            return self._shipped / logical.removeprefix(SHIPPED)
        return self.root / logical


def read_bounded(path: Path) -> bytes:
    """The bytes of the regular file ``path``. Raises OSError: for a pipe or device at once, for a large file unread."""
    try:
        _refuse_odd(path.stat())
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:
        raise OSError(str(error)) from None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor that was opened without waiting
        _refuse_odd(os.fstat(descriptor))
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TooLargeError(len(data))
    return data


def _refuse_odd(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    if found.st_size > MAX_BYTES:
        raise TooLargeError(found.st_size)


def find_project(spec: Path) -> tuple[Path, str]:
    """The project's root and the spec's logical name.

    The root is the nearest directory above the spec that holds a ``cfgc.toml``, else the spec's own directory.
    """
    path = Path(os.path.abspath(spec))  # noqa: PTH100 - resolve() would follow links out of the project
    for directory in path.parents:
        if _is_file(directory / PROJECT_FILE) and directory / PROJECT_FILE != path:
            return directory, path.relative_to(directory).as_posix()
    return path.parent, path.name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
