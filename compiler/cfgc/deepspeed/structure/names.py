"""Which keys a release reads that a name may be meant for: in the same section, and elsewhere."""

from __future__ import annotations

import re
import unicodedata

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import Entry, Path
from cfgc.deepspeed.structure.resembling import resembling

_LOOK_ALIKES = str.maketrans("аеорсухіјѕԁӏսոᴏ‐‑–—−", "aeopcyxijsdluno-----")
"""Letters of other alphabets that look like Latin ones, and dashes."""
_NOT_WORD = re.compile(r"[^a-z0-9]+")
EVERYWHERE = {"enabled", "type", "params", "device", "dtype", "verbose", "debug", "seed"}
"""Names that say nothing about the section."""
MOST_PLACES = 3
"""Sections that are named for a key that many of them have."""


def siblings(case: Case, section: Path) -> list[str]:
    """The names that the release reads in ``section``."""
    depth = len(section)
    return [
        p[-1] for p, key in case.release.keys.items() if len(p) == depth + 1 and p[:depth] == section and p[-1] != "*"
    ]


def _folded(name: str) -> str:
    """A name without what is not seen: look-alikes, case, spaces, quotes, hyphens for underscores."""
    latin = unicodedata.normalize("NFKC", name.casefold()).translate(_LOOK_ALIKES)
    return _NOT_WORD.sub("", latin)


def spelled_alike(case: Case, path: Path) -> str | None:
    """The key that differs in nothing but letter case, hyphens, or letters that look the same."""
    folded = _folded(path[-1])
    return next((name for name in siblings(case, path[:-1]) if _folded(name) == folded), None)


def nearest_name(case: Case, path: Path, entry: Entry) -> tuple[str | None, bool]:
    """The key of the section that is most like it, and whether no other is meant.

    Of several, one that is not written and takes such a value.
    """
    section = path[:-1]
    names = siblings(case, section)
    free = [
        name for name in names if case.config.get((*section, name)) is None and takes(case, (*section, name), entry)
    ]
    near, certain = resembling(path[-1], free)
    return (near, certain) if near else (resembling(path[-1], names)[0], False)


def takes(case: Case, path: Path, entry: Entry) -> bool:
    """Whether the key at ``path`` is a table just as the value is."""
    key = case.release.key(path)
    return key is not None and ("table" in key.kinds) == isinstance(entry.value, dict)


def elsewhere(case: Case, path: Path) -> list[Path]:
    """Where else the release reads a key of this name, the section nearest to this one first; nothing when many do."""
    if path[-1] in EVERYWHERE:
        return []
    named = [(other, key) for other, key in case.release.keys.items() if other[-1] == path[-1] and not key.refused]
    found = [other for other, key in named if not (key.deprecated or key.alias_of or key.unread)]
    found = found or [other for other, key in named if not key.unread]
    params = [
        (section, "params", path[-1])
        for section, known in (("optimizer", case.release.optimizers), ("scheduler", case.release.schedulers))
        if any(path[-1] in kind.parameters for kind in known.values())
    ]
    found += [other for other in params if other not in found]
    related = [other for other in found if other[:1] == path[:1] or len(path) == 1 or len(other) == 1]
    near = related or (found if len(found) == 1 else [])
    if len(near) > MOST_PLACES:
        return []
    return sorted(near, key=lambda p: (p[:1] != path[:1], case.config.get(p[:1]) is None, len(p)))


def lacked_by(case: Case, path: Path) -> list[Path]:
    """For a name that many sections have: the only written one that could have it, and does not."""
    if path[-1] not in EVERYWHERE:
        return []
    lacking = [
        other
        for other, key in case.release.keys.items()
        if other[-1] == path[-1]
        and not (key.refused or key.unread or key.alias_of)
        and isinstance(getattr(case.config.get(other[:-1]), "value", None), dict)
        and case.config.get(other) is None
    ]
    near = [other for other in lacking if other[:-2] == path[:-1] or other[:-1] == path[:-2]] or lacking
    return near if len(near) == 1 else []
