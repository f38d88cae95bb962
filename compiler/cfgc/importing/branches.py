"""Trees of entries: merging, walking, looking up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from cfgc.deepspeed.config import Config, Entry, Json, Path
from cfgc.source import SourceFile

Branch: TypeAlias = "dict[str, Branch | Entry]"
"""Keys to branches, or to the entry of a value that is no table; an empty table is an entry with the value ``{}``."""


def merged(base: Branch, over: Branch) -> Branch:
    """``over`` on ``base``, table by table: lists and values are replaced; an empty table adds nothing to a table."""
    found = dict(base)
    for key, value in over.items():
        below = found.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            found[key] = merged(below, value)
        elif not (isinstance(below, dict) and isinstance(value, Entry) and value.value == {}):
            found[key] = value
    return found


def placed(branch: Branch, package: Path) -> Branch:
    """``branch`` below the keys of ``package``."""
    for key in reversed(package):
        branch = {key: branch}
    return branch


def leaves(branch: Branch, prefix: Path = ()) -> Iterator[tuple[Path, Entry]]:
    """Every value by path, in the order of the keys."""
    for key, value in branch.items():
        if isinstance(value, Entry):
            yield (*prefix, key), value
        else:
            yield from leaves(value, (*prefix, key))


def found_at(branch: Branch, path: Path) -> Branch | Entry | None:
    """What stands at ``path``; None when nothing does."""
    node: Branch | Entry | None = branch
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def plain(node: Branch | Entry) -> Json:
    """The values alone."""
    return node.value if isinstance(node, Entry) else {key: plain(value) for key, value in node.items()}


def config_of(branch: Branch, source: SourceFile) -> Config:
    """The branch as a config, tables included, each under its path in ``branch``."""
    return Config(source, dict(_entries(branch, ())))


def _entries(branch: Branch, prefix: Path) -> Iterator[tuple[Path, Entry]]:
    for key, value in branch.items():
        path = (*prefix, key)
        if isinstance(value, Entry):
            yield path, value
        else:
            yield path, Entry(plain(value))
            yield from _entries(value, path)
