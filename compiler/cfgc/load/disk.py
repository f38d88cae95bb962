"""Reading from disk: a project's files and the shipped specs."""

from __future__ import annotations

import os
from pathlib import Path

from cfgc.load.reader import SHIPPED

PROJECT_FILE = "cfgc.toml"
"""The file that marks a project's root."""


class DiskReader:
    """A reader of the project at ``root`` and the ``shipped`` specs."""

    def __init__(self, root: Path, shipped: Path) -> None:
        self._root = root
        self._shipped = shipped

    def read(self, logical: str) -> bytes | None:
        """The bytes of ``logical``; None when there is no such file. Raises OSError when it can't be read."""
        path = self._path(logical)
        try:
            if path.is_fifo() or path.is_char_device():
                raise OSError("it is no regular file")
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise OSError(str(error)) from None

    def options(self, group: str) -> tuple[str, ...]:
        """Names of ``<group>/*.toml`` in the project's ``specs/``, its root and the shipped specs, sorted."""
        places = (self._root / "specs", self._root, self._shipped)
        return tuple(sorted({name for place in places for name in _options_in(place, group)}))

    def groups(self) -> tuple[str, ...]:
        """Directories of the project's ``specs/`` and the shipped specs, sorted."""
        places = (self._root / "specs", self._shipped)
        return tuple(sorted({name for place in places for name in _directories_in(place)}))

    def _path(self, logical: str) -> Path:
        if logical.startswith(SHIPPED):
            return self._shipped / logical.removeprefix(SHIPPED)
        return self._root / logical


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


def _options_in(place: Path, group: str) -> list[str]:
    try:
        return [entry.stem for entry in (place / group).iterdir() if entry.suffix == ".toml"]
    except (OSError, ValueError):
        return []


def _directories_in(place: Path) -> list[str]:
    try:
        return [entry.name for entry in place.iterdir() if entry.is_dir()]
    except (OSError, ValueError):
        return []
