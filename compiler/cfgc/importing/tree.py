"""The files that an import may read: those of one directory, and no more than a config needs."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cfgc.diagnostics import Label, Rejected
from cfgc.importing import errors
from cfgc.source import SourceFile, Span

LARGEST = 1 << 18
"""Bytes of one file; a real config has a few thousand."""


class Tree(Protocol):
    """Gives the bytes of a posix path below its root."""

    def read(self, logical: str) -> bytes | None:
        """The bytes, None when there is no such file. Raises OSError when it can't be read, or lies elsewhere."""
        ...

    def names(self, directory: str) -> tuple[str, ...]:
        """Names of the files in a directory, sorted; empty when there is none."""
        ...


class DiskTree:
    """The files below ``root``; links may not lead out of it."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def read(self, logical: str) -> bytes | None:
        """At most ``LARGEST`` bytes and one more of a regular file below the root."""
        path = self._inside(logical)
        try:
            if not path.is_file():
                if path.exists():
                    raise OSError("it is a directory" if path.is_dir() else "it is no regular file")
                return None
            with path.open("rb") as file:
                return file.read(LARGEST + 1)
        except ValueError as error:
            raise OSError(str(error)) from None

    def names(self, directory: str) -> tuple[str, ...]:
        """Names of regular files."""
        try:
            return tuple(sorted(entry.name for entry in self._inside(directory).iterdir() if entry.is_file()))
        except (OSError, ValueError):
            return ()

    def _inside(self, logical: str) -> Path:
        try:
            path = (self._root / logical).resolve()
        except (ValueError, RuntimeError) as error:
            raise OSError(str(error)) from None
        if not path.is_relative_to(self._root):
            raise OSError("it lies outside of the imported tree")
        return path


def read_file(tree: Tree, logical: str, asked: Span | None = None) -> bytes:
    """The bytes of a file. Raises ``Rejected`` when there is none, or it is larger than any config."""
    label = Label(asked, "asked for here") if asked else None
    try:
        data = tree.read(logical)
    except OSError as error:
        raise Rejected([errors.unreadable(logical, error.strerror or str(error), label)]) from None
    if data is None:
        raise Rejected([errors.unreadable(logical, "there is no such file", label)])
    if len(data) > LARGEST:
        raise Rejected(
            [errors.unreadable(logical, f"it is larger than {LARGEST >> 10} KiB, which no config is", label)]
        )
    return data


def decoded(logical: str, data: bytes) -> SourceFile:
    """The text of a file. Raises ``Rejected`` when it is not UTF-8."""
    try:
        return SourceFile(logical, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        readable = SourceFile(logical, data.decode("utf-8", errors="replace"))
        offset = len(data[: error.start].decode("utf-8"))
        raise Rejected([errors.not_utf8(Span(readable, offset, offset + 1), data[error.start])]) from None
