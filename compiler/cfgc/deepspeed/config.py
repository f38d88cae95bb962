"""A ds_config whose every key knows where it was written: of a JSON file, or computed from a spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cfgc.source import SourceFile, Span

Json: TypeAlias = Any
"""None, bool, int, float, str, list or dict, as JSON has them."""

Path: TypeAlias = tuple[str, ...]
"""Keys from the top of a ds_config: ``("zero_optimization", "stage")``."""

AUTO = "auto"
"""What accelerate and transformers fill in when they start; DeepSpeed alone cannot read it."""


@dataclass(frozen=True)
class Entry:
    """One key of a ds_config.

    ``span`` holds its value and ``key`` its name; both are None for what no file holds. ``edited`` is where a change of
    it goes: the path of the key in the file that ``span`` is in (other than its path here when a spec wrote it).
    """

    value: Json
    span: Span | None = None
    key: Span | None = None
    edited: Path = ()
    layer: str = ""


@dataclass(frozen=True)
class Config:
    """Every key of one ds_config by path, tables included, in the order they were written.

    ``home`` is put before the path of a key that is not there yet, to say where in ``source`` it would be written.
    ``repeated`` are keys that were written twice, with the span of the name that was overwritten.
    """

    source: SourceFile
    entries: Mapping[Path, Entry]
    home: Path = ()
    repeated: tuple[tuple[Path, Span], ...] = field(default=())

    def get(self, path: Path) -> Entry | None:
        """The entry of ``path``, or None when it was not written."""
        return self.entries.get(path)

    def below(self, path: Path) -> Iterator[tuple[str, Entry]]:
        """The keys directly in the table ``path``, with their entries."""
        for other, entry in self.entries.items():
            if len(other) == len(path) + 1 and other[: len(path)] == path:
                yield other[-1], entry

    def tree(self) -> dict[str, Json]:
        """The whole config as DeepSpeed would be given it."""
        return {path[0]: entry.value for path, entry in self.entries.items() if len(path) == 1}
