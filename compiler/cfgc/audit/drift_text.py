"""What differs between a bundle and what its spec gives now, for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from cfgc.audit.comparison_text import Paint, Role, comparison_text, plain
from cfgc.audit.drift import Drift, FileDrift
from cfgc.diagnostics.text import printable

_LINES: Final = 24
"""Of one file's difference; ``cfgc diff`` has every value, and a build every byte."""
_ROLES: Final[dict[str, Role]] = {"-": "old", "+": "new", "@": "dim"}


def drift_text(drift: Drift, paint: Paint = plain) -> str:
    """Values first, then files, then the lines of those that people read; a newline at the end."""
    head = paint(f"{printable(str(drift.directory))} is not what {printable(drift.root)} gives", "bold")
    values = [comparison_text(drift.comparison, paint=paint).rstrip("\n"), ""] if drift.comparison else []
    return "\n".join([head, *values, *_files(drift.files, paint), *_lines(drift.files, paint)]) + "\n"


def file_words(files: Sequence[FileDrift]) -> list[str]:
    """``PLAN.md stale``; those of the runtime together."""
    runtime = Counter(one.how for one in files if _is_runtime(one.path))
    named = [f"{printable(one.path.as_posix())} {one.how}" for one in files if not _is_runtime(one.path)]
    return named + [f"{count} of runtime/ {how}" for how, count in runtime.items()]


def _files(files: Sequence[FileDrift], paint: Paint) -> Iterator[str]:
    yield paint("files", "bold")
    yield from (f"  {words}" for words in file_words(files))


def _lines(files: Sequence[FileDrift], paint: Paint) -> Iterator[str]:
    for one in files:
        if one.lines:
            yield ""
        for line in one.lines[:_LINES]:
            role = _ROLES.get(line[:1])
            yield paint(printable(line), role) if role else printable(line)
        if len(one.lines) > _LINES:
            yield f"… {len(one.lines) - _LINES} more lines"


def _is_runtime(path: PurePosixPath) -> bool:
    return "runtime" in path.parts[:-1]
