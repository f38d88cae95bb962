"""What a reference in ``${…}`` means: a leaf, something inside one, or a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cfgc.origin import Path, Value
from cfgc.resolve.expression import RefPath


@dataclass(frozen=True)
class Target:
    """The leaves that a reference needs. ``rest`` leads on inside a single one; ``table`` is what they make."""

    leaves: tuple[Path, ...]
    rest: RefPath = ()
    table: Path | None = None


def find_target(path: RefPath, known: Mapping[Path, object]) -> Target | None:
    """What ``path`` means among the leaves ``known``; None when it means nothing."""
    names = _leading_names(path)
    for depth in range(len(names), 0, -1):
        if names[:depth] in known:
            return Target((names[:depth],), path[depth:])
    below = tuple(leaf for leaf in known if leaf[: len(names)] == names)
    return Target(below, table=names) if below and len(names) == len(path) else None


def _leading_names(path: RefPath) -> Path:
    names: list[str] = []
    for part in path:
        if not isinstance(part, str):
            break
        names.append(part)
    return tuple(names)


def pick(target: Target, values: Mapping[Path, Value]) -> Value | None:
    """The value that ``target`` means; None when its leaf holds nothing there."""
    if target.table is not None:
        return _table(target.table, target.leaves, values)
    value: Value | None = values[target.leaves[0]]
    for part in target.rest:
        value = _step(value, part)
    return value


def _step(value: Value | None, part: str | int) -> Value | None:
    if isinstance(value, dict) and isinstance(part, str):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and -len(value) <= part < len(value):
        return value[part]
    return None


def _table(table: Path, leaves: Iterable[Path], values: Mapping[Path, Value]) -> dict[str, Value]:
    root: dict[str, Value] = {}
    for leaf in leaves:
        *parents, last = leaf[len(table) :]
        place = root
        for part in parents:
            child = place.setdefault(part, {})
            assert isinstance(child, dict), "no leaf lies below another"
            place = child
        place[last] = values[leaf]
    return root
