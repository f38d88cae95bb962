"""Raw keys that the compiler refuses: the spec is compiled, and what it stops at is dropped with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from cfgc.deepspeed.config import Json, Path
from cfgc.diagnostics import Diagnostic
from cfgc.importing.importer import Outcome, rendered
from cfgc.importing.items import Dropped, Item, Raw

Check: TypeAlias = Callable[[str], Sequence[Diagnostic]]
"""What the compiler says of a spec's text."""

ROUNDS = 6
"""Compilations: dropping a key can make another one pointless. The later half drops whole sections."""

_RAW = ("deepspeed", "raw")


def without_refused(outcome: Outcome, check: Check) -> tuple[Outcome, Sequence[Diagnostic]]:
    """The outcome without the raw keys that errors point at, and what the compiler says of it."""
    findings = check(outcome.text)
    for number in range(ROUNDS):
        refused = dict(_refused(outcome.text, findings))
        if number >= ROUNDS // 2:
            refused = {path[:1]: because for path, because in refused.items()}
        if not refused:
            break
        items = _without(outcome.items, refused)
        outcome = rendered(replace(outcome.imported, items=items), outcome.source)
        findings = check(outcome.text)
    return outcome, findings


def _without(items: Iterable[Item], refused: Mapping[Path, str]) -> tuple[Item, ...]:
    """``items`` with one ``Dropped`` for each refused key or table, in place of what is raw there."""
    kept: list[Item] = []
    gone: dict[Path, Json] = {}
    for item in items:
        path = (
            next((path for path in refused if item.path[: len(path)] == path), None) if isinstance(item, Raw) else None
        )
        if path is None or not isinstance(item, Raw):
            kept.append(item)
        else:
            gone[path] = _with(gone.get(path), item.path[len(path) :], item.value)
    return (*kept, *(Dropped(path, refused[path], value, doubtful=True) for path, value in gone.items()))


def _with(table: Json, path: Path, value: Json) -> Json:
    """``table`` with ``value`` at ``path``; the value itself for the empty path."""
    if not path:
        return value
    below = table if isinstance(table, dict) else {}
    return {**below, path[0]: _with(below.get(path[0]), path[1:], value)}


def _refused(text: str, findings: Iterable[Diagnostic]) -> Iterable[tuple[Path, str]]:
    """The raw keys, or tables of them, on the lines that errors point at."""
    lines = text.splitlines()
    for finding in findings:
        if finding.severity != "error":
            continue
        for label in (finding.primary, *finding.secondary):
            path = _path_at(lines, label.span.line) if label else ()
            # A section without its switch is off, and the rest of it has no use.
            key = path[2:-1] if path[-1:] == ("enabled",) else path[2:]
            if path[:2] == _RAW and key not in ((), ("reason",)):
                yield key, f"{finding.message} ({finding.code})"


def _path_at(lines: Sequence[str], number: int) -> Path:
    """The dotted key of a line of a spec that the writer made: one key on each line."""
    line = lines[number - 1] if number <= len(lines) else ""
    header = next((above for above in reversed(lines[:number]) if above.startswith("[")), "")
    table = _keys(header.partition(" #")[0]) if header else ()
    return table if line.startswith(("[", "#")) else (*table, *_keys(line))


def _keys(line: str) -> Path:
    """The keys of a table's header, or of one ``key = value``."""
    try:
        node = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(node, dict) and len(node) == 1 and (line.startswith("[") or not path):
        path.append(next(iter(node)))
        node = node[path[-1]]
    return tuple(path)
