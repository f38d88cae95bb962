"""Which releases of DeepSpeed are known, and the table of each, from the committed ``table.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path as FilePath
from typing import Any, cast

from cfgc.deepspeed.config import Json, Path
from cfgc.deepspeed.table import MISSING, Key, Kind, Named, Release


@dataclass(frozen=True)
class Phase:
    """Releases in a row that read a key in one way; ``until`` is the first that does not, empty when all newer do."""

    since: str
    until: str
    key: Key


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FilePath(__file__).with_name("table.json").read_text("utf-8"))
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
    """What holds at the release numbered ``index``, of entries that each say from which release on they hold."""
    places, found = _places(), {}
    for name, changes in phases.items():
        facts = None
        for version, changed in changes.items():
            if places[version] > index:
                break
            facts = changed
        if facts is not None:
            found[name] = facts
    return found


def _keys(facts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Path, Key]]:
    plain = {name: _key(name, found, facts) for name, found in facts.items() if "alias_of" not in found}
    yield from ((key.path, key) for key in plain.values())
    for name, found in facts.items():
        if "alias_of" in found:
            target, path = found["alias_of"], _path(name)
            same = plain[target]
            # The old name is asked for where the new one is none, and what it holds is read as a table.
            yield path, replace(same, path=path, alias_of=same.path, kinds=same.kinds - {"null"})
            if "table" in same.kinds:
                for other, key in plain.items():
                    if other.startswith(target + "."):
                        deeper = (*path, *key.path[len(same.path) :])
                        yield deeper, replace(key, path=deeper, alias_of=key.path)


def _path(dotted: str) -> Path:
    return tuple(dotted.split("."))


def _key(name: str, found: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> Key:
    section = facts.get(name.rpartition(".")[0])
    return Key(
        path=_path(name),
        kinds=_kinds(found.get("kinds")),
        default=found.get("default", MISSING),
        minimum=found.get("minimum"),
        maximum=found.get("maximum"),
        above=found.get("above"),
        below=found.get("below"),
        items=_kinds(found.get("items")),
        choices=tuple(found.get("choices", ())),
        any_case=found.get("any_case", False),
        coerces=section is not None and "model" in section,
        rejects=_kinds(found.get("rejects")),
        closed=found.get("closed", False),
        free=found.get("free", False),
        unread=found.get("unread", False),
        required=found.get("required", False),
        deprecated=found.get("deprecated", False),
        replaced_by=_path(found["replaced_by"]) if "replaced_by" in found else (),
        refused=found.get("refused", ""),
    )


@cache
def _kinds(text: str | None) -> frozenset[Kind]:
    """The kinds of ``int|null``."""
    return frozenset(cast("list[Kind]", text.split("|"))) if text else frozenset()


def _named(name: str, found: Mapping[str, Any]) -> Named:
    return Named(name, found["parameters"], bool(found.get("open")))


@cache
def history(path: Path) -> tuple[Phase, ...]:
    """How the releases read the key, oldest first; empty when none does, with a gap where some do not."""
    found: list[Phase] = []
    for version in _turns(path):
        key = release(version).key(path)
        if found and not found[-1].until and key != found[-1].key:
            found[-1] = replace(found[-1], until=version)
        if key is not None and (not found or found[-1].until):
            found.append(Phase(version, "", key))
    return tuple(found)


def _turns(path: Path) -> tuple[str, ...]:
    """The releases that may read the key in another way than the one before them: where it or a table above changed."""
    keys = _table()["keys"]
    lines = [changes for depth in range(1, len(path) + 1) if (changes := keys.get(".".join(path[:depth])))]
    if len(lines) < len(path) and any("alias_of" in (facts or ()) for line in lines for facts in line.values()):
        return known_releases()
    if len(lines) < len(path):
        return ()
    places = _places()
    return tuple(sorted({version for line in lines for version in line}, key=places.__getitem__))


def drifting() -> Iterator[tuple[Path, tuple[tuple[str, Json], ...]]]:
    """Every key whose default is another one in some release, with each default and the first release that has it."""
    for name, changes in _table()["keys"].items():
        defaults: list[tuple[str, Json]] = []
        for version, facts in changes.items():
            default = (facts or {}).get("default", MISSING)
            if default is not MISSING and (not defaults or default != defaults[-1][1]):
                defaults.append((version, default))
        if len(defaults) > 1:
            yield _path(name), tuple(defaults)


def renamed(path: Path) -> Path:
    """The name that a key had before, or has since; empty when it has had one name."""
    names: Mapping[str, str] = _table().get("renamed", {})
    back = {new: old for old, new in names.items()}
    dotted = ".".join(path)
    other = names.get(dotted) or back.get(dotted)
    return _path(other) if other else ()
