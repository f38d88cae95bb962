"""Notes what a build reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cfgc.load.disk import DiskReader
from cfgc.receipts.receipt import save
from cfgc.receipts.seen import ABSENT, digest_of, names_digest
from cfgc.resources import shipped_dir

if TYPE_CHECKING:
    from cfgc.emit.bundle import Bundle
    from cfgc.session import Session


class RecordingReader(DiskReader):
    """A reader of a disk that remembers what it saw of which name, as ``seen_of`` says it."""

    def __init__(self, root: Path, shipped: Path) -> None:
        super().__init__(root, shipped)
        self._seen: dict[tuple[str, str], str] = {}
        self.is_steady = True
        """Whether nothing was seen to change while it was read."""

    def read(self, logical: str) -> bytes | None:
        """The bytes of ``logical``, as of a ``DiskReader``."""
        try:
            data = super().read(logical)
        except OSError as error:
            self._note("file", logical, digest_of(repr(error).encode()))
            raise
        self._note("file", logical, ABSENT if data is None else digest_of(data))
        return data

    def entries(self, folder: str) -> tuple[str, ...] | None:
        """Names in ``folder``, as of a ``DiskReader``."""
        names = super().entries(folder)
        self._note("folder", folder, names_digest(names))
        return names

    def _note(self, kind: str, name: str, seen: str) -> None:
        self.is_steady &= self._seen.setdefault((kind, name), seen) == seen

    def seen(self) -> Iterator[tuple[str, str, str]]:
        """Kind, name and what was seen of it."""
        for (kind, name), seen in self._seen.items():
            yield kind, name, seen


_MORE = frozenset({"package.tar", "points.jsonl"})
"""Files for which git was asked, or other processes have read."""


def noted(session: Session) -> tuple[Session, RecordingReader]:
    """``session``, with what it reads being noted."""
    reader = RecordingReader(session.root, shipped_dir("specs"))
    return replace(session, reader=reader), reader


def keep(reader: RecordingReader, session: Session, build: tuple[str, ...], bundle: Bundle, directory: Path) -> None:
    """Keep the receipt of ``build``, which said nothing but its outcome, when ``reader`` saw all that it needs."""
    if reader.is_steady and not any(path.name in _MORE for path in bundle.files):
        save(build, (str(session.root), session.logical), reader.seen(), str(directory))
