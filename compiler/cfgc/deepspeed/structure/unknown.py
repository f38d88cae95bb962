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
from cfgc.deepspeed.structure.names import (
    EVERYWHERE,
    MOST_PLACES,
    elsewhere,
    lacked_by,
    nearest_name,
    spelled_alike,
    takes,
)
from cfgc.deepspeed.structure.wording import Finding, dotted
from cfgc.deepspeed.table import Key
from cfgc.diagnostics.model import Fix

_REMARK = re.compile(r"[_#$].*|//.*|-*\s*comments?\d*", re.IGNORECASE | re.DOTALL)
_LABELS = {"author", "description", "doc", "docs", "info", "name", "note", "notes", "title", "version"}
"""Keys that say something about the file: nobody expects them to do anything."""
_GIVEN_OTHERWISE = {
    ("pipeline", "stages"): "the number of stages is given to the `PipelineModule`, as `num_stages`",
    ("pipeline", "partition"): "the way of partitioning is given to the `PipelineModule`, as `partition_method`",
    ("pipeline", "seed_layers"): "it is given to the `PipelineModule`",
}
"""How a thing is said that DeepSpeed takes a key for and never looks at."""


def unknown_key(case: Case, path: Path, entry: Entry) -> Iterator[Finding]:
    """What is said of ``path``, which the release does not read in a section that it knows."""
    closed = _refuses(case, path[:-1])
    if not closed and _REMARK.fullmatch(path[-1]):
        return
    if found := list(unread(case, path, consequence(case, path))):
        yield from found
    elif path[-1].lower() in _LABELS:
        yield _misspelt(case, path, entry, None)
    elif alike := spelled_alike(case, path):
        yield _misspelt(case, path, entry, alike)
    elif foreign := FOREIGN.get(".".join(path)):
        yield _foreign(case, path, entry, foreign)
    elif path[-2:-1] == path[-1:] and isinstance(entry.value, dict):
        yield _nested_in_itself(case, path, entry)
    else:
        yield _mistaken(case, path, entry)


def _mistaken(case: Case, path: Path, entry: Entry) -> Finding:
    """A name that is read elsewhere, where it is not written yet, else one that is like a name of this section."""
    places, (near, certain) = elsewhere(case, path) or lacked_by(case, path), nearest_name(case, path, entry)
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
    sure = len(places) == 1 and path[-1] not in EVERYWHERE
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
    moves = bool(ours) and not written and (case.release.key(ours) is None or takes(case, ours, entry))
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
