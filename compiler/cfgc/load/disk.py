"""Reading from disk: a project's files and the shipped specs."""

from __future__ import annotations

from pathlib import Path

from cfgc.load.raw import SHIPPED, names_in, project_of, read_bounded


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
        return names_in(self._path(folder))

    def _path(self, logical: str) -> Path:
        if logical.startswith(SHIPPED):
            return self._shipped / logical.removeprefix(SHIPPED)
        return self.root / logical


def find_project(spec: Path) -> tuple[Path, str]:
    """The project's root and the spec's logical name, as ``project_of`` finds them."""
    root, logical = project_of(str(spec))
    return Path(root), logical
