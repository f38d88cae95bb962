"""A project on disk, seen with ``os`` alone: what looks twice at a file sees it the same way, and imports nothing."""

from __future__ import annotations

import os
import stat

SHIPPED = "cfgc:"
"""Prefix of the logical name of a shipped spec."""
MAX_BYTES = 1 << 18
"""Bytes of one file. The longest spec that anybody writes by hand has a tenth of it."""
PROJECT_FILE = "cfgc.toml"
"""The file that marks a project's root, and says what holds for all of its specs."""


class TooLargeError(OSError):
    """A file has more than ``MAX_BYTES``; it is not read."""

    def __init__(self, size: int) -> None:
        super().__init__(f"it has {size:,} bytes")


def read_bounded(path: str | os.PathLike[str]) -> bytes:
    """The bytes of the regular file ``path``. Raises OSError: for a pipe or device at once, for a large file unread."""
    try:
        _refuse_odd(os.stat(path))  # noqa: PTH116 - pathlib takes as long to import as all else here
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


def names_in(folder: str | os.PathLike[str]) -> tuple[str, ...] | None:
    """Names in ``folder``, sorted, those of directories with a ``/``; None when it can't be listed."""
    try:
        with os.scandir(folder) as found:
            return tuple(sorted(f"{entry.name}/" if _is_folder(entry) else entry.name for entry in found))
    except (OSError, ValueError):
        return None


def project_of(spec: str) -> tuple[str, str]:
    """The project's root and the spec's logical name.

    The root is the nearest directory above the spec that holds a ``cfgc.toml``, else the spec's own directory.
    """
    path = os.path.abspath(spec)  # noqa: PTH100 - resolve() would follow links out of the project
    own, name = os.path.split(path)
    directory = own
    while True:
        marker = os.path.join(directory, PROJECT_FILE)  # noqa: PTH118
        if marker != path and _is_file(marker):
            return directory, path[len(directory) :].lstrip("/")
        above = os.path.dirname(directory)  # noqa: PTH120
        if above == directory:
            return own, name
        directory = above


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)  # noqa: PTH113
    except (OSError, ValueError):
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
