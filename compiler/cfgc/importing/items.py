"""What an import is made of: facts with the key they came from, between the reader of a kind and the writer."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cfgc.deepspeed.config import Json, Path

Grade: TypeAlias = Literal["converted", "default", "doubtful", "placeholder"]
"""Said by the file; what its tool does when the file says nothing; to be looked at; said by no file of the kind."""

YOURS = "not in the imported file: yours to say"


@dataclass(frozen=True)
class Setting:
    """A key of the spec. ``sources`` are the keys of the imported file that it accounts for.

    ``expression`` says that the value is text with ``${…}`` of the spec language; any other text is literal.
    """

    key: str
    value: Json
    comment: str
    sources: tuple[Path, ...] = ()
    grade: Grade = "converted"
    expression: bool = False


@dataclass(frozen=True)
class Raw:
    """A key that goes to ``[deepspeed.raw]`` as it is."""

    path: Path
    value: Json


@dataclass(frozen=True)
class Dropped:
    """A key that the spec does not keep. ``doubtful`` when the run changes by it."""

    path: Path
    because: str
    value: Json = None
    doubtful: bool = False


Item: TypeAlias = Setting | Raw | Dropped


@dataclass(frozen=True)
class Imported:
    """What came of a file: ``title`` is the first line of the spec, ``items`` everything else, in any order."""

    title: str
    items: tuple[Item, ...]


def sources_of(items: Iterable[Item]) -> frozenset[Path]:
    """The keys of the file that ``items`` account for; a table stands for all that is below it."""
    found: set[Path] = set()
    for item in items:
        found.update(item.sources if isinstance(item, Setting) else (item.path,))
    return frozenset(found)


def accounted(path: Path, sources: Set[Path]) -> bool:
    """Whether ``path``, or a table that it is in, is among ``sources``."""
    return any(path[:length] in sources for length in range(1, len(path) + 1))


def came_from(path: Path | str) -> str:
    """The comment of a converted value."""
    return f"from {path if isinstance(path, str) else '.'.join(path)}"
