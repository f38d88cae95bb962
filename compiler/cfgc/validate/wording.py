"""Helps that can be pasted: each `key = value` in them says where it goes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cfgc.origin import Path
from cfgc.schema.catalogue import schema_fields

if TYPE_CHECKING:
    from cfgc.diagnostics import Label
    from cfgc.resolve.resolved import Resolved

_ASSIGNMENT = re.compile(r"`(?P<key>[a-z]\w*(?:\.\w+)*) = (?P<value>[^`]+)`(?P<others>(?:(?:, or | or |, )`[^`=]+`)*)")
"""`key = value`, and other values for the same key behind it."""

_BETWEEN = re.compile(r",?( and | or | )")


def pasteable(helps: Iterable[str], resolved: Resolved, keys: Sequence[str], primary: Label | None) -> tuple[str, ...]:
    """``helps`` with a place for each assignment: the line shown, a table of the spec, or the command line.

    ``keys`` are the dotted keys that the finding is about; they tell which key a short one means.
    """
    given = [text for text in helps if text]
    first = [text.removeprefix("or ") for text in given[:1]]
    return tuple(_worded(text, resolved, keys, primary) for text in (*first, *given[1:]))


def _worded(text: str, resolved: Resolved, keys: Sequence[str], primary: Label | None) -> str:
    found = list(_ASSIGNMENT.finditer(text))
    meant = [meant_path(match["key"], keys) for match in found]
    if all(path and _is_shown(path, resolved, primary) for path in meant):
        written = [(f"`{path[-1]} = {match['value']}`", "") for match, path in zip(found, meant, strict=True) if path]
    else:
        written = [_written(match, path, resolved) for match, path in zip(found, meant, strict=True)]
    return "".join(_pieces(text, found, written))


def _pieces(text: str, found: Sequence[re.Match[str]], written: Sequence[tuple[str, str]]) -> Iterator[str]:
    """``text`` with the assignments as written; neighbours of one place name it once."""
    end = 0
    for index, (match, (shown, where)) in enumerate(zip(found, written, strict=True)):
        yield text[end : match.start()] + shown + match["others"]
        end = match.end()
        following = found[index + 1] if index + 1 < len(found) else None
        near = following and _BETWEEN.fullmatch(text[end : following.start()])
        if not (near and written[index + 1][1] == where):
            yield where
    yield text[end:]


def _written(match: re.Match[str], path: Path | None, resolved: Resolved) -> tuple[str, str]:
    """The assignment as it is to be typed, and where."""
    value = match["value"]
    if path is None:
        return f"`{match['key']} = {value}`", ""
    leaf = resolved.leaves.get(path)
    if leaf and leaf.origin.layer.kind == "command line":
        return f"`{override('.'.join(path), value)}`", " on the command line"
    section = ".".join(path[:-1])
    return f"`{path[-1]} = {value}`", f" under `[{section}]`" if section else ""


def override(key: str, value: str) -> str:
    """A word of the command line that sets ``key``, quoted where a shell would split or expand it."""
    return shlex.quote(f"{key}={value}")


def _is_shown(path: Path, resolved: Resolved, primary: Label | None) -> bool:
    """Whether the finding shows the line of the spec that gives ``path``, and its name says which key it is."""
    leaf = resolved.leaves.get(path)
    key = leaf.origin.key_span if leaf else None
    if not key or not primary or key.source is not resolved.graph.root:
        return False
    alone = sum(known[-1] == path[-1] for known in schema_fields()) == 1
    return alone and len(path) == 2 and key.text == path[-1] and _covers(primary, key.start, key.end)


def _covers(label: Label, start: int, end: int) -> bool:
    """Whether the label is on the entry with the key at ``start``, or on its value."""
    line = label.span.source.text.rfind("\n", 0, label.span.start) + 1
    return label.span.start <= start < label.span.end or (line <= start and end <= label.span.start)


def meant_path(key: str, keys: Sequence[str]) -> Path | None:
    """The schema's path of a key that may be shortened; None when it could be several."""
    known = {path for path in schema_fields() if ".".join(path).endswith(f".{key}") or ".".join(path) == key}
    about = {tuple(name.split(".")) for name in keys}
    sections = {path[:-1] for path in about}
    for closer in (known & about, {path for path in known if path[:-1] in sections}, known if "." in key else set()):
        if len(closer) == 1:
            return next(iter(closer))
    return None
