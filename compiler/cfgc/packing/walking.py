"""The files that lie in a project's directory, whatever git knows of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cfgc.packing.patterns import is_no_code, is_taken
from cfgc.packing.repository import Repository

if TYPE_CHECKING:
    from cfgc.load.reader import Reader
    from cfgc.packing.settings import Settings

DEEPEST = 40
"""Directories above a file."""


def root_of(reader: Reader) -> Path | None:
    """The project's directory where ``reader`` reads from a disk."""
    root = getattr(reader, "root", None)
    return root if isinstance(root, Path) else None


def repository_of(reader: Reader) -> Repository | None:
    """Where git has what ``reader`` reads from a revision."""
    repository = getattr(reader, "repository", None)
    return repository if isinstance(repository, Repository) else None


def files_of(reader: Reader, settings: Settings) -> Iterator[str]:
    """Paths of the package, sorted within each directory.

    A link to a directory is not followed: it is one of the paths where it, or a file in it, would be taken, so that
    nothing is left out in silence.
    """
    yield from _walk(reader, settings, root_of(reader), "", 0)


def _walk(reader: Reader, settings: Settings, root: Path | None, above: str, depth: int) -> Iterator[str]:
    entries = reader.entries(settings.below(above).rstrip("/")) or ()
    if depth > DEEPEST or (above and is_no_code(settings.below(above).rstrip("/"), entries, settings.out)):
        return
    for entry in entries:
        path = above + entry
        if not entry.endswith("/"):
            if is_taken(path, settings):
                yield path
        elif not (root and is_link(root, settings.below(path).rstrip("/"))):
            yield from _walk(reader, settings, root, path, depth + 1)
        elif _is_missed(reader, settings, path):
            yield path.rstrip("/")


def _is_missed(reader: Reader, settings: Settings, link: str) -> bool:
    """Whether code is left out when the directory that ``link`` leads to is."""
    folder = settings.below(link).rstrip("/")
    entries = reader.entries(folder) or ()
    if is_no_code(folder, entries, settings.out):
        return False
    files = [link + entry for entry in entries if not entry.endswith("/")]
    return is_taken(link.rstrip("/"), settings) or any(is_taken(file, settings) for file in files)


def is_link(root: Path, path: str) -> bool:
    """Whether ``path`` of the project is a symbolic link."""
    try:
        return (root / path).is_symlink()
    except (OSError, ValueError):
        return False
