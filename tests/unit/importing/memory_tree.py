"""Files to import that lie in memory."""

from __future__ import annotations

from collections.abc import Mapping


class MemoryTree:
    """A tree in memory, for tests."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self._files = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}

    def read(self, logical: str) -> bytes | None:
        """The bytes of the mapping."""
        return self._files.get(logical)

    def names(self, directory: str) -> tuple[str, ...]:
        """Names of the mapping."""
        prefix = f"{directory}/" if directory else ""
        below = (name.removeprefix(prefix) for name in self._files if name.startswith(prefix))
        return tuple(sorted(name for name in below if "/" not in name))
