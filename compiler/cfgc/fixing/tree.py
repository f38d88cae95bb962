"""What an edit means, on plain values: the text that it makes must read as this."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from cfgc.diagnostics.model import Edit

Location: TypeAlias = tuple[str | int, ...]
"""Keys and array positions, from the root of a document."""

ABSENT: Any = object()
"""What stands at a location that is not there."""


class CannotEditError(Exception):
    """The edit has no meaning for this text, or no way to write it is known."""


def edited_tree(tree: dict[str, Any], edit: Edit, stays: Callable[[Location], bool]) -> dict[str, Any]:
    """``tree`` after ``edit``; ``stays`` says of a table that the edit leaves empty whether it is kept.

    Raises ``CannotEditError``.
    """
    copy = deepcopy(tree)
    if edit.action == "set":
        _put(copy, edit.path, deepcopy(edit.value))
        return copy
    value = value_at(copy, edit.path)
    if value is ABSENT:
        raise CannotEditError(f"there is no {edit.path}")
    if edit.action == "move" and (not edit.to or edit.to[: len(edit.path)] == edit.path):
        raise CannotEditError("it would be moved into itself")
    _take(copy, edit.path, stays)
    if edit.action == "move":
        _merge(copy, edit.to, value)
    return copy


def value_at(tree: Any, location: Location) -> Any:
    """The value at ``location``, or ``ABSENT``."""
    for part in location:
        if part not in _parts(tree):
            return ABSENT
        tree = tree[part]
    return tree


def _parts(node: Any) -> Container[Any]:
    """What ``node`` may be indexed with."""
    return range(len(node)) if isinstance(node, list) else node if isinstance(node, dict) else ()


def _put(tree: dict[str, Any], location: Location, value: Any) -> None:
    if not location:
        raise CannotEditError("the whole document cannot be set")
    holder: Any = tree
    for part in location[:-1]:
        if isinstance(holder, dict) and isinstance(part, str):
            holder = holder.setdefault(part, {})
        elif isinstance(holder, list) and isinstance(part, int) and 0 <= part < len(holder):
            holder = holder[part]
        else:
            raise CannotEditError(f"{location} leads through a value")
    last = location[-1]
    if isinstance(holder, list) and isinstance(last, int) and 0 <= last <= len(holder):
        holder[last : last + 1] = [value]
    elif isinstance(holder, dict) and isinstance(last, str):
        holder[last] = value
    else:
        raise CannotEditError(f"{location} leads through a value")


def _take(tree: dict[str, Any], location: Location, stays: Callable[[Location], bool]) -> None:
    del value_at(tree, location[:-1])[location[-1]]
    for length in range(len(location) - 1, 0, -1):
        above = location[:length]
        if value_at(tree, above) not in ({}, []) or isinstance(above[-1], int) or stays(above):
            return
        del value_at(tree, above[:-1])[above[-1]]


def _merge(tree: dict[str, Any], location: Location, value: Any) -> None:
    there = value_at(tree, location)
    if there is ABSENT:
        _put(tree, location, value)
    elif isinstance(there, dict) and isinstance(value, dict):
        for key, inner in value.items():
            _merge(tree, (*location, key), inner)
    else:
        raise CannotEditError(f"{location} has a value already")
