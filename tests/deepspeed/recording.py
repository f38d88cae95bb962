"""A ds_config that notes every key DeepSpeed asks it for, so that a test sees what was left to a default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Recording(dict[str, Any]):
    """A dictionary, and its tables, that add the dotted path of each key asked for to ``asked``."""

    def __init__(self, table: dict[str, Any], asked: set[str], prefix: str = "") -> None:
        super().__init__()
        self.asked = asked
        self.prefix = prefix
        for key, value in table.items():
            kept = Recording(value, asked, f"{prefix}{key}.") if isinstance(value, dict) else value
            super().__setitem__(key, kept)

    def note(self, key: str) -> None:
        """Remember that ``key`` was asked for."""
        self.asked.add(self.prefix + key)

    def get(self, key: str, default: Any = None) -> Any:
        """Like dict."""
        self.note(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.note(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.note(str(key))
        return super().__contains__(key)

    def keys(self) -> Any:
        """Like dict, but ``in`` is noted."""
        return _Keys(self)

    def __copy__(self) -> Recording:
        return Recording(dict(self.items()), self.asked, self.prefix)


class _Keys:
    def __init__(self, table: Recording) -> None:
        self.table = table

    def __contains__(self, key: object) -> bool:
        return key in self.table

    def __iter__(self) -> Iterator[str]:
        return iter(list(dict.keys(self.table)))
