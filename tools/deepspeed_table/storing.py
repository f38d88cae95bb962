"""The committed table: each key once, with what holds from which release on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .extracting import supplements

TABLE = Path(__file__).parents[2] / "compiler" / "cfgc" / "deepspeed" / "table.json"
PARTS = ("keys", "optimizers", "schedulers")


def order(version: str) -> tuple[int, ...]:
    """What releases are sorted by."""
    return tuple(int(part) for part in version.split("."))


def merge(extracted: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One table of the tables of single releases."""
    releases = sorted(extracted, key=order)
    table: dict[str, Any] = {"releases": releases, "renamed": supplements()["renamed"]}
    for part in PARTS:
        names = sorted({name for version in releases for name in extracted[version][part]})
        table[part] = {name: _changes(name, part, releases, extracted) for name in names}
    return table


def _changes(name: str, part: str, releases: list[str], extracted: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    last: Any = None
    for version in releases:
        facts = extracted[version][part].get(name)
        if json.dumps(facts) != json.dumps(last):
            changes[version] = facts
        last = facts
    return changes


def split(table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of single releases of one table: what ``merge`` was given."""
    extracted: dict[str, dict[str, Any]] = {version: {part: {} for part in PARTS} for version in table["releases"]}
    for part in PARTS:
        for name, changes in table[part].items():
            facts: Any = None
            for version in table["releases"]:
                facts = changes.get(version, facts) if version in changes else facts
                if facts is not None:
                    extracted[version][part][name] = facts
    return extracted


def dumped(table: Mapping[str, Any]) -> str:
    """The text of a table: a line for each key, sorted."""
    parts = [f' "{name}": {json.dumps(table[name])}' for name in ("releases", "renamed")]
    for part in PARTS:
        lines = [f"  {json.dumps(name)}: {json.dumps(changes)}" for name, changes in table[part].items()]
        parts.append(f' "{part}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def load(path: Path = TABLE) -> dict[str, Any]:
    """The committed table; an empty one when there is none yet."""
    if not path.exists():
        return {"releases": [], "renamed": {}, **{part: {} for part in PARTS}}
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found
