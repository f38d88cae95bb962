"""What was seen to be read of the config while a release's source was followed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .values import Class, Path, Value


@dataclass
class Seen:
    """One key: the defaults that it was asked for with, and what became of it.

    ``compared`` are the texts that it is compared with, ``allowed`` the values beside which the release stops;
    ``folded`` when its case is changed before. ``looked_at`` when more is done with it than to copy it.
    """

    defaults: list[Value] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    allowed: list[Any] = field(default_factory=list)
    folded: bool = False
    looked_at: bool = False
    refused: bool = False
    model: Class | None = None


@dataclass
class Readings:
    """Every key that was asked for, by path."""

    seen: dict[Path, Seen] = field(default_factory=dict)

    def at(self, path: Path) -> Seen:
        """The record of ``path``, made when it is new."""
        return self.seen.setdefault(path, Seen())

    def ask(self, path: Path, default: Value = ()) -> None:
        """``path`` was asked for, with ``default`` when it is absent; a name like ``.`` is a search in a text."""
        if not str(path[-1]).isidentifier():
            return
        seen = self.at(path)
        seen.looked_at = True
        if default and default not in seen.defaults:
            seen.defaults.append(default)
