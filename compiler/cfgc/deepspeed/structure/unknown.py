"""Keys that a release does not read: what was meant, and what DeepSpeed does about it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import Entry, Path
from cfgc.deepspeed.structure import wording
from cfgc.deepspeed.structure.ages import unread
from cfgc.deepspeed.structure.foreign import FOREIGN, Foreign
from cfgc.deepspeed.structure.resembling import resembling
from cfgc.deepspeed.structure.wording import Finding, dotted
from cfgc.deepspeed.table import Key
from cfgc.diagnostics.model import Fix

_REMARK = re.compile(r"[_#$].*|//.*|-*\s*comments?\d*", re.IGNORECASE | re.DOTALL)
_LABELS = {"author", "description", "doc", "docs", "info", "name", "note", "notes", "title", "version"}
"""Keys that say something about the file: nobody expects them to do anything."""
_LOOK_ALIKES = str.maketrans("аеорсухіјѕԁӏսոᴏ‐‑–—−", "aeopcyxijsdluno-----")
"""Letters of other alphabets that look like Latin ones, and dashes."""
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_GIVEN_OTHERWISE = {
    ("pipeline", "stages"): "the number of stages is given to the `PipelineModule`, as `num_stages`",
    ("pipeline", "partition"): "the way of partitioning is given to the `PipelineModule`, as `partition_method`",
    ("pipeline", "seed_layers"): "it is given to the `PipelineModule`",
}
"""How a thing is said that DeepSpeed takes a key for and never looks at."""

_EVERYWHERE = {"enabled", "type", "params", "device", "dtype", "verbose", "debug", "seed"}
"""Names that say nothing about the section."""

MOST_PLACES = 3
"""Sections that are named for a key that many of them have."""


def unknown_key(case: Case, path: Path, entry: Entry) -> Iterator[Finding]:
    """What is said of ``path``, which the release does not read in a section that it knows."""
    closed = _refuses(case, path[:-1])
    if not closed and _REMARK.fullmatch(path[-1]):
        return
    if found := list(unread(case, path, consequence(case, path))):
        yield from found
    elif path[-1].lower() in _LABELS:
        yield _misspelt(case, path, entry, None)
    elif alike := _spelled_alike(case, path):
        yield _misspelt(case, path, entry, alike)
    elif foreign := FOREIGN.get(".".join(path)):
        yield _foreign(case, path, entry, foreign)
    elif path[-2:-1] == path[-1:] and isinstance(entry.value, dict):
        yield _nested_in_itself(case, path, entry)
    else:
        yield _mistaken(case, path, entry)


def _mistaken(case: Case, path: Path, entry: Entry) -> Finding:
    """A name that is read elsewhere, where it is not written yet, else one that is like a name of this section."""
    places, (near, certain) = _elsewhere(case, path) or _lacking(case, path), _near(case, path, entry)
    taken = bool(places) and all(case.config.get(place) is not None for place in places)
    if places and not (taken and near and case.config.get((*path[:-1], near)) is None):
        return _misplaced(case, path, entry, places)
    return _misspelt(case, path, entry, near, certain)


def _refuses(case: Case, section: Path) -> bool:
    key = case.release.key(section)
    return bool(section) and key is not None and key.closed


def consequence(case: Case, path: Path) -> str:
    """What the release does about a key that it does not read."""
    version = case.release.version
    stops, ignores = f"DeepSpeed {version} stops at it", f"DeepSpeed {version} ignores it in silence"
    return stops if _refuses(case, path[:-1]) else ignores


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


def _spelled_alike(case: Case, path: Path) -> str | None:
    """The key that differs in nothing but letter case, hyphens, or letters that look the same."""
    folded = _folded(path[-1])
    return next((name for name in siblings(case, path[:-1]) if _folded(name) == folded), None)


def _near(case: Case, path: Path, entry: Entry) -> tuple[str | None, bool]:
    """The key of the section that is most like it, and whether no other is meant.

    Of several, one that is not written and takes such a value.
    """
    section = path[:-1]
    names = siblings(case, section)
    free = [
        name for name in names if case.config.get((*section, name)) is None and _takes(case, (*section, name), entry)
    ]
    near, certain = resembling(path[-1], free)
    return (near, certain) if near else (resembling(path[-1], names)[0], False)


def _takes(case: Case, path: Path, entry: Entry) -> bool:
    key = case.release.key(path)
    return key is not None and ("table" in key.kinds) == isinstance(entry.value, dict)


def _elsewhere(case: Case, path: Path) -> list[Path]:
    """Where else the release reads a key of this name, the section nearest to this one first; nothing when many do."""
    if path[-1] in _EVERYWHERE:
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


def _lacking(case: Case, path: Path) -> list[Path]:
    """For a name that many sections have: the only written one that could have it, and does not."""
    if path[-1] not in _EVERYWHERE:
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


def _nested_in_itself(case: Case, path: Path, entry: Entry) -> Finding:
    """``"fp16": {"fp16": {…}}``: the inner table is the section."""
    above = path[:-1]
    outer = case.config.get(above)
    others = {name: value for name, value in (outer.value if outer else {}).items() if name != path[-1]}
    return wording.said(
        "CFG548",
        path,
        f"`{dotted(above)}` is written inside itself: {consequence(case, path)}",
        wording.key_label(case, path, "again here"),
        secondary=(wording.key_label(case, above, "the section"),),
        helps=(f"write what it holds in `{dotted(above)}` itself",),
        fixes=(Fix((wording.give(case, above, {**others, **entry.value}),), certain=not others),),
    )


def _misspelt(case: Case, path: Path, entry: Entry, near: str | None, certain: bool = True) -> Finding:
    to = (*path[:-1], near) if near else ()
    label = wording.key_label(case, path, f"did you mean `{near}`?" if near else "")
    odd = _odd_character(path[-1])
    notes = (f"{odd} looks like another character",) if odd and near else ()
    written = case.config.get(to) if to else None
    sure = bool(to) and certain and (written is None or written.value == entry.value)
    fix = Fix((wording.move(case, path, to) if to else wording.drop(case, path),), certain=sure)
    helps = (
        (f"`{near}` is written too: keep one of the two",)
        if written
        else (f"write `{wording.pair(near, entry.value)}`",)
        if near
        else (f"remove `{dotted(path[-1:])}`",)
    )
    return wording.said(
        "CFG547",
        path,
        f"there is no key `{dotted(path)}`: {consequence(case, path)}",
        label,
        secondary=(wording.key_label(case, to, "written here"),) if written else (),
        notes=notes,
        helps=helps,
        fixes=(fix,),
        severity="warning" if path[-1].lower() in _LABELS and not _refuses(case, path[:-1]) else "error",
    )


def _odd_character(name: str) -> str:
    """The first character that no key has, with its name."""
    odd = next((char for char in name if not char.isascii() or not char.isprintable()), "")
    return f"`{odd}` ({unicodedata.name(odd, f'U+{ord(odd):04X}').lower()})" if odd else ""


def _misplaced(case: Case, path: Path, entry: Entry, places: list[Path]) -> Finding:
    named = places[:MOST_PLACES]
    where = " or ".join(f"`{dotted(place[:-1])}`" if place[:-1] else "the top level" for place in named)
    sure = len(places) == 1 and path[-1] not in _EVERYWHERE
    fixes = tuple(
        Fix((wording.move(case, path, place),), certain=sure and _moves(case, place, entry)) for place in named
    )
    return wording.said(
        "CFG548",
        path,
        f"`{dotted(path)}` belongs in {where}: {consequence(case, path)}",
        wording.key_label(case, path),
        secondary=tuple(wording.key_label(case, place[:-1], "there") for place in named if place[:-1]),
        helps=tuple(f"write {wording.placed(case, place, entry.value)}" for place in named),
        fixes=fixes,
    )


def _moves(case: Case, place: Path, entry: Entry) -> bool:
    """Whether nothing is lost by moving there: it is free, or says the same."""
    there = case.config.get(place)
    return there is None or there.value == entry.value


def _foreign(case: Case, path: Path, entry: Entry, foreign: Foreign) -> Finding:
    ours = foreign.ours if case.release.key(foreign.ours) or case.release.key(foreign.ours[:-1]) else ()
    written = bool(ours) and case.config.get(ours) is not None
    moves = bool(ours) and not written and (case.release.key(ours) is None or _takes(case, ours, entry))
    here = f"`{dotted(path[:-1])}`" if path[:-1] else "a ds_config"
    whose = f"what {foreign.tool} calls `{dotted(ours)}`" if ours else f"a key of {foreign.tool}, not of {here}"
    helped = f"write {wording.placed(case, ours, entry.value)}" if moves else f"remove `{dotted(path)}`"
    fix = wording.move(case, path, ours) if moves else wording.drop(case, path)
    return wording.said(
        "CFG552",
        path,
        f"`{dotted(path)}` is {whose}: {consequence(case, path)}",
        wording.key_label(case, path),
        secondary=(wording.key_label(case, ours, "DeepSpeed's own"),) if written else (),
        notes=(foreign.note,) if foreign.note else (),
        helps=(helped,),
        fixes=(Fix((fix,), certain=moves),),
    )


def unused_key(case: Case, key: Key) -> Iterator[Finding]:
    """A key that DeepSpeed knows and does nothing with."""
    if key.unread:
        yield wording.said(
            "CFG547",
            key.path,
            f"DeepSpeed {case.release.version} takes `{dotted(key.path)}` and never looks at it",
            wording.key_label(case, key.path),
            notes=[note for path, note in _GIVEN_OTHERWISE.items() if path == key.path],
            helps=(f"remove `{dotted(key.path)}`",),
            fixes=(Fix((wording.drop(case, key.path),)),),
        )
