"""How the core reads: through a reader that is passed in, by logical name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

SHIPPED = "cfgc:"
"""Prefix of the logical name of a shipped spec."""


class Reader(Protocol):
    """Gives the bytes of a logical name.

    ``specs/a.toml`` is relative to the project root, ``cfgc:bases/small.toml`` is shipped. Logical names are posix
    paths without ``.`` parts; ``..`` only leads out of the root.
    """

    def read(self, logical: str) -> bytes | None:
        """The bytes, or None when there is no such file. Raises OSError when it can't be read."""
        ...

    def options(self, group: str) -> tuple[str, ...]:
        """Options of the overlay ``group``, sorted: ``<group>/*.toml`` of the project and the shipped ones."""
        ...

    def groups(self) -> tuple[str, ...]:
        """Names of the directories that hold specs, sorted: overlay groups, ``bases`` and ``examples``."""
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
        return data.encode() if isinstance(data, str) else data

    def options(self, group: str) -> tuple[str, ...]:
        """Options of ``group`` that the mapping or the fallback holds."""
        found = {name.split("/")[-1].removesuffix(".toml") for name in self._files if _group_of(name) == group}
        if self._fallback:
            found.update(self._fallback.options(group))
        return tuple(sorted(found))

    def groups(self) -> tuple[str, ...]:
        """Directories that the mapping or the fallback holds."""
        found = {group for group in map(_group_of, self._files) if group}
        if self._fallback:
            found.update(self._fallback.groups())
        return tuple(sorted(found))


def _group_of(logical: str) -> str:
    parts = logical.removeprefix(SHIPPED).split("/")
    return parts[-2] if len(parts) > 1 and parts[-1].endswith(".toml") else ""
