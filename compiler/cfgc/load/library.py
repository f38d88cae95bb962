"""Where bases and overlays are looked for."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from cfgc.load.raw import SHIPPED
from cfgc.load.reader import Reader

DEFAULT_SEARCH = ("specs",)
"""The directories of a project that are searched when its cfgc.toml names none."""
NOT_GROUPS = frozenset({"bases", "examples"})
"""Directories of specs that hold no overlays."""


@dataclass(frozen=True)
class Library:
    """A reader, and the directories of the project that are searched, in order; the shipped specs come last."""

    reader: Reader
    search: tuple[str, ...] = DEFAULT_SEARCH

    def overlay_files(self, group: str, option: str) -> tuple[str, ...]:
        """Logical names that the overlay may have; the first that exists counts."""
        own = (posixpath.join(place, group, f"{option}.toml") for place in self._places())
        return (*own, f"{SHIPPED}{group}/{option}.toml")

    def options(self, group: str) -> tuple[str, ...]:
        """The options of ``group``: ``<group>/*.toml`` wherever overlays are looked for, sorted."""
        folders = [*(posixpath.join(place, group) for place in self._places()), f"{SHIPPED}{group}"]
        names = {name for folder in folders for name in self.reader.entries(folder) or ()}
        return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml") and name != ".toml"))

    def groups(self) -> tuple[str, ...]:
        """The groups that can be chosen from: every searched directory of specs but the bases and examples, sorted."""
        found = set(self._folders())
        return tuple(sorted(group for group in found if group not in NOT_GROUPS and self.options(group)))

    def _places(self) -> tuple[str, ...]:
        """The project's directories that may hold groups; its root is one, after those that are searched."""
        return tuple(dict.fromkeys((*("" if place == "." else place for place in self.search), "")))

    def _folders(self) -> Iterator[str]:
        for place in (*self.search, SHIPPED):
            for name in self.reader.entries("" if place == "." else place) or ():
                if name.endswith("/") and not name.startswith("."):
                    yield name.removesuffix("/")
