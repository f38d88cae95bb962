"""How the core reads: through a reader that is passed in, by logical name."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Protocol

from cfgc.load.raw import MAX_BYTES, SHIPPED, TooLargeError


class Reader(Protocol):
    """Gives the bytes of a logical name.

    ``specs/a.toml`` is relative to the project root, ``cfgc:bases/small.toml`` is shipped. Logical names are posix
    paths without ``.`` parts; ``..`` only leads out of the root.
    """

    def read(self, logical: str) -> bytes | None:
        """The bytes, or None when there is no such file. Raises OSError when it can't be read or is too large."""
        ...

    def entries(self, folder: str) -> tuple[str, ...] | None:
        """Names in the directory ``folder`` (``""`` is the root, ``cfgc:`` the shipped specs), sorted.

        Those of directories end in ``/``. None when there is no such directory, or it can't be read.
        """
        ...


class MemoryReader:
    """A reader over a mapping, for tests."""

    def __init__(self, files: Mapping[str, str | bytes], fallback: Reader | None = None) -> None:
        self._files = files
        self._fallback = fallback

    def read(self, logical: str) -> bytes | None:
        """The bytes of ``logical``, from the mapping or else the fallback."""
        data = self._files.get(logical)
        if data is None:
            return self._fallback.read(logical) if self._fallback else None
        content = data.encode() if isinstance(data, str) else data
        if len(content) > MAX_BYTES:
            raise TooLargeError(len(content))
        return content

    def entries(self, folder: str) -> tuple[str, ...] | None:
        """Names that the mapping or the fallback holds in ``folder``."""
        start = folder if not folder or folder == SHIPPED else posixpath.join(folder, "")
        below = [name.removeprefix(start) for name in self._files if name.startswith(start)]
        found = {name.partition("/")[0] + "/" * ("/" in name) for name in below if not name.startswith(SHIPPED)}
        more = self._fallback.entries(folder) if self._fallback else None
        return tuple(sorted({*found, *(more or ())})) if found or more is not None else None
