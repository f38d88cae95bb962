"""Files on disk: durable, with the modes that are meant, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path

from cfgc.emit.bundle import Bundle

FILE_MODE = 0o644
EXECUTABLE_MODE = 0o755
DIRECTORY_MODE = 0o755


def write_tree(bundle: Bundle, directory: Path) -> None:
    """Create ``directory`` with the bundle's files. Raises OSError."""
    folders = {directory, *((directory / path).parent for path in bundle.files)}
    for folder in sorted(folders):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(DIRECTORY_MODE)
    for path, data in bundle.files.items():
        _write_file(directory / path, data, EXECUTABLE_MODE if path in bundle.executable else FILE_MODE)
    for written in (*(directory / path for path in bundle.files), *folders):
        sync(written)


def sync(path: Path) -> None:
    """Make a file's content, or the names in a directory, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_file(path: Path, data: bytes, mode: int) -> None:
    with path.open("xb") as file:
        file.write(data)
        os.fchmod(file.fileno(), mode)
