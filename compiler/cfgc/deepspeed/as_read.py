"""The config as a release understands it: what the rules are given after the keys were looked at one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import AUTO, Entry, Json, Path
from cfgc.deepspeed.structure.kinds import read_as
from cfgc.deepspeed.table import MISSING

NOTHING: Mapping[Path, Path] = {}


def as_read(case: Case, wrong: Iterable[Path], moved: Mapping[Path, Path] = NOTHING) -> Case:
    """The case with old spellings under their new names, and with ``auto``, which says nothing, at ``wrong``.

    Keys of ``moved``, which are wrong too, stand where they were meant to: what is missing there is said once.
    """
    bad = set(wrong) - set(moved)
    entries: dict[Path, Entry] = {}
    for path, entry in case.config.entries.items():
        old = next((path[:depth] for depth in range(1, len(path) + 1) if path[:depth] in moved), None)
        if old:
            entries.update(_understood(case, moved[old] + path[len(old) :], replace(entry, edited=path)))
            continue
        if any(path[:depth] in bad for depth in range(1, len(path))):
            continue
        if path in bad:
            entries[path] = replace(entry, value=AUTO)
        else:
            entries.update(_understood(case, path, entry))
    for old, new in moved.items():
        _put(entries, new, case.config.entries[old].value)
    return replace(case, config=replace(case.config, entries=entries))


def _put(entries: dict[Path, Entry], path: Path, value: Any) -> None:
    """Let the tables around ``path`` hold what stands there now."""
    for depth in range(len(path) - 1, 0, -1):
        table = entries.get(path[:depth])
        if table is None or not isinstance(table.value, dict):
            return
        value = {**table.value, path[depth]: value}
        entries[path[:depth]] = replace(table, value=value)


def _understood(case: Case, path: Path, entry: Entry) -> dict[Path, Entry]:
    key = case.release.key(path)
    if path == ("zero_optimization",) and isinstance(entry.value, bool):
        return _table(entry, path, "stage", int(entry.value))
    if key is not None and (value := read_as(key, entry.value)) is not MISSING:
        entry = replace(entry, value=value)
    if key is None or not (key.alias_of or (key.deprecated and key.replaced_by)):
        return {path: entry}
    entry = replace(entry, edited=entry.edited or (*case.config.home, *path))
    new = key.alias_of or key.replaced_by
    target = case.release.key(new)
    if case.config.get(new) is not None or target is None:
        return {path: entry}
    if key.deprecated and "table" in target.kinds and isinstance(entry.value, bool):
        return _table(entry, new, "device", "cpu") if entry.value else {}
    return {new: entry}


def _table(entry: Entry, path: Path, name: str, value: Json) -> dict[Path, Entry]:
    """A switch as the table that it stands for; a change of it is written anew."""
    return {path: replace(entry, value={name: value}), (*path, name): replace(entry, value=value, edited=())}
