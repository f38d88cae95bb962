"""Which paths a package takes."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc.packing.settings import Settings

_NEVER = frozenset({"__pycache__", "node_modules"})
_A_BUNDLE = frozenset({"manifest.json", "PLAN.md"})
_A_RUN = frozenset({"run.json", "attempts/"})
_AN_ENVIRONMENT = frozenset({"pyvenv.cfg"})


def is_taken(path: str, settings: Settings) -> bool:
    """Whether ``path``, relative to the package's root, matches what is included and nothing that is excluded."""
    if any(part.startswith(".") or part in _NEVER for part in path.split("/")):
        return False
    return _matches(path, settings.include) and not _matches(path, settings.exclude)


def _matches(path: str, patterns: Iterable[str]) -> bool:
    return any(fits(path, pattern) for pattern in patterns)


def fits(path: str, pattern: str) -> bool:
    """``*`` matches a ``/`` too, as in ``[[data.sources]]`` and in git; a directory's name matches what is below it."""
    return fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/")


def is_no_code(folder: str, entries: Iterable[str], out: str) -> bool:
    """Whether a directory of the project holds what was made of code: bundles, a run, packages that were installed.

    Directories among ``entries`` end in ``/``.
    """
    name, held = folder.rpartition("/")[2], frozenset(entries)
    if folder == out or name in _NEVER or name.startswith("."):
        return True
    return any(signs <= held for signs in (_A_BUNDLE, _A_RUN, _AN_ENVIRONMENT))


def pattern_problem(pattern: str) -> str:
    """What is wrong with a pattern or a directory; empty for nothing."""
    if "\0" in pattern:
        return "no path has a zero byte"
    if not pattern.strip("/"):
        return "it names nothing"
    if pattern.startswith(("/", "~")):
        return "it is a path of this machine, and those of a package are relative to the project"
    if {"..", "."} & set(pattern.split("/")):
        return "paths of a package have no `.` and no `..` in them"
    return ""
