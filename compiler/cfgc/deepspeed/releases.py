"""Which releases of DeepSpeed are known, and the table of each, from the committed ``table.json``."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from cfgc.deepspeed.config import Path
from cfgc.deepspeed.table import MISSING, Key, Named, Release


@dataclass(frozen=True)
class Phase:
    """The releases in a row that read a key in one way; ``until`` is the first that does not, empty when there is none."""

    since: str
    until: str
    key: Key


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("cfgc.deepspeed").joinpath("table.json").read_text("utf-8"))
    return found


@cache
def known_releases() -> tuple[str, ...]:
    """Every release that the table holds, oldest first."""
    return tuple(_table()["releases"])


def newest_release() -> str:
    """The newest release that the table holds."""
    return known_releases()[-1]


@cache
def _places() -> dict[str, int]:
    return {version: index for index, version in enumerate(known_releases())}


@cache
def release(version: str) -> Release:
    """The table of ``version``. KeyError when it is not known."""
    index = _places()[version]
    tables = {name: _at(_table()[name], index) for name in ("keys", "optimizers", "schedulers")}
    return Release(
        version=version,
        keys=dict(_keys(tables["keys"])),
        optimizers={name: _named(name, facts) for name, facts in tables["optimizers"].items()},
        schedulers={name: _named(name, facts) for name, facts in tables["schedulers"].items()},
    )


def _at(phases: Mapping[str, Mapping[str, Any]], index: int) -> dict[str, Any]:
    """What holds at the release numbered ``index``, of entries that each say from which release they hold."""
    found = {}
    for name, changes in phases.items():
        starts = [_places()[version] for version in changes]
        place = bisect_right(starts, index) - 1
        facts = list(changes.values())[place] if place >= 0 else None
        if facts is not None:
            found[name] = facts
    return found


def _keys(facts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Path, Key]]:
    plain = {name: _key(name, found, facts) for name, found in facts.items() if "alias_of" not in found}
    for key in plain.values():
        yield key.path, key
    for name, found in facts.items():
        if "alias_of" in found:
            for key in plain.values():
                if key.path == _path(found["alias_of"]) or ".".join(key.path).startswith(found["alias_of"] + "."):
                    path = (*_path(name), *key.path[len(_path(found["alias_of"])) :])
                    yield path, replace(key, path=path, alias_of=key.path)


def _path(dotted: str) -> Path:
    return tuple(dotted.split("."))


def _key(name: str, found: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> Key:
    section = facts.get(name.rpartition(".")[0], {})
    sets = {field: frozenset(found[field].split("|")) for field in ("items", "rejects") if field in found}
    same = {field: found[field] for field in SAME if field in found}
    return Key(
        path=_path(name),
        kinds=frozenset(found["kinds"].split("|")) if found.get("kinds") else frozenset(),
        default=found.get("default", MISSING),
        choices=tuple(found.get("choices", ())),
        coerces=bool(section.get("model")),
        replaced_by=_path(found["replaced_by"]) if "replaced_by" in found else (),
        **sets,
        **same,
    )


SAME = (
    *("minimum", "maximum", "above", "below", "any_case", "closed", "free", "required", "deprecated", "refused"),
)


def _named(name: str, found: Mapping[str, Any]) -> Named:
    return Named(name, found["parameters"], bool(found.get("open")))


@cache
def history(path: Path) -> tuple[Phase, ...]:
    """How the releases read the key, oldest first; empty when none does, with a gap where some do not."""
    found: list[Phase] = []
    for version in known_releases():
        key = release(version).key(path)
        if found and not found[-1].until and key != found[-1].key:
            found[-1] = replace(found[-1], until=version)
        if key is not None and (not found or found[-1].until):
            found.append(Phase(version, "", key))
    return tuple(found)
