"""Edits of a JSON or HJSON text, as splices at the places that the reader found: all else stays byte for byte."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cfgc.deepspeed.reading import parse_config
from cfgc.diagnostics import Rejected
from cfgc.fixing.splices import Splice, line_end, line_start, newline_of, spliced
from cfgc.fixing.tree import ABSENT, CannotEditError, Location, edited_tree, value_at
from cfgc.source import SourceFile

if TYPE_CHECKING:
    from cfgc.deepspeed.config import Config
    from cfgc.diagnostics.model import Edit
    from cfgc.source import Span

_BEHIND = re.compile(r"[ \t]*(,?)[ \t]*(?:(?:#|//)[^\r\n]*)?(?=\r?\n|\Z)")
"""What may follow a value that ends its line: a comma and a comment."""


@dataclass(frozen=True)
class Member:
    """One ``"key": value``."""

    path: Location
    key: Span
    value: Span


def edit_json(text: str, edit: Edit) -> str:
    """``text`` after ``edit``: it reads as it did, but for the edit. Raises ``CannotEditError`` when it can't be."""
    config = _read(text)
    wanted = edited_tree(config.tree(), edit, lambda _: True)
    if edit.action == "move":
        after = _moved(config, edit.path, edit.to)
    elif any(isinstance(part, int) for part in edit.path):
        names = _names(edit.path)
        after = _set(config, names, _json(value_at(wanted, names), text, ""))
    elif edit.action == "set":
        after = _set(config, edit.path, None, edit.value)
    else:
        after = _removed(config, edit.path)
    if repr(_sorted(_read(after).tree())) != repr(_sorted(wanted)) or (_is_strict(text) and not _is_strict(after)):
        raise CannotEditError("the outcome would not read as it should")
    return after


def _read(text: str) -> Config:
    try:
        return parse_config(SourceFile("", text))
    except Rejected as rejected:
        raise CannotEditError(str(rejected)) from None


def _is_strict(text: str) -> bool:
    with suppress(ValueError, RecursionError):
        json.loads(text)
        return True
    return False


def _sorted(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree)}
    return [_sorted(item) for item in tree] if isinstance(tree, list) else tree


def _names(path: Location) -> Location:
    """``path`` up to the array that it leads into."""
    return path[: next(index for index, part in enumerate(path) if isinstance(part, int))]


def _members(config: Config, table: Location) -> list[Member]:
    """The keys directly in ``table``, in the order of the text."""
    depth = len(table) + 1
    found = [
        Member(path, entry.key, entry.span)
        for path, entry in config.entries.items()
        if len(path) == depth and path[:-1] == table and entry.key and entry.span
    ]
    return sorted(found, key=lambda member: member.key.start)


def _member(config: Config, path: Location) -> Member | None:
    return next((member for member in _members(config, path[:-1]) if member.path == path), None)


def _set(config: Config, path: Location, raw: str | None, value: Any = None) -> str:
    text = config.source.text
    member = _member(config, path)
    if member is None:
        return _inserted(config, path, raw, value)
    written = _json(value, text, _indent(text, member.key.start)) if raw is None else raw
    return spliced(text, [Splice(member.value.start, member.value.end, written)])


def _inserted(config: Config, path: Location, raw: str | None, value: Any = None) -> str:
    """A key that is not there, behind the last one of its table; tables on the way are made."""
    tree, text = config.tree(), config.source.text
    anchor = next(path[:n] for n in range(len(path) - 1, -1, -1) if value_at(tree, path[:n]) is not ABSENT)
    if not isinstance(value_at(tree, anchor), dict):
        raise CannotEditError(f"{anchor} holds no keys")
    members = _members(config, anchor)
    rest = path[len(anchor) + 1 :]
    if raw is not None and rest:
        value, raw = json.loads(raw) if _is_strict(raw) else _unwritten(raw), None
    for part in reversed(rest):
        value = {part: value}
    if not members:
        return _first_member(config, anchor, {path[len(anchor)]: value if raw is None else _unwritten(raw)})
    last = members[-1]
    indent = _indent(text, last.key.start)
    entry = f"{json.dumps(path[len(anchor)])}: {_json(value, text, indent) if raw is None else raw}"
    end = last.value.end
    comma = "" if _is_bare(last.value) else ","
    behind = _BEHIND.match(text, end)
    if behind and not text[line_start(text, last.key.start) : last.key.start].strip():
        there = behind[1] or not comma
        splices = [] if there else [Splice(end, end, comma)]
        at = behind.end()
        line = f"{newline_of(text)}{indent}{entry}{',' if behind[1] else ''}"
        return spliced(text, [*splices, Splice(at, at, line)])
    return spliced(text, [Splice(end, end, f"{comma or newline_of(text)} {entry}")])


def _unwritten(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise CannotEditError("this value has a form of its own") from None


def _first_member(config: Config, table: Location, held: dict[Any, Any]) -> str:
    text = config.source.text
    member = _member(config, table) if table else None
    if member:
        written = _json(held, text, _indent(text, member.key.start))
        return spliced(text, [Splice(member.value.start, member.value.end, written)])
    braces = re.search(r"\{\s*\}", text)
    if not braces:
        raise CannotEditError("the text has no table to write into")
    return spliced(text, [Splice(*braces.span(), _json(held, f"{{{newline_of(text)}}}", ""))])


def _removed(config: Config, path: Location) -> str:
    text = config.source.text
    members = _members(config, path[:-1])
    index = next((index for index, member in enumerate(members) if member.path == path), None)
    if index is None:
        raise CannotEditError(f"nothing is written at {path}")
    start, end = members[index].key.start, members[index].value.end
    behind = _BEHIND.match(text, end)
    if behind and not text[line_start(text, start) : start].strip():
        splices = [Splice(line_start(text, start), line_end(text, behind.end()))]
        comma = re.compile(r"\s*,").match(text, members[index - 1].value.end) if index else None
        if index and index + 1 == len(members) and comma and not behind[1]:
            splices.append(Splice(comma.end() - 1, comma.end()))
        return spliced(text, splices)
    if index + 1 < len(members):
        return spliced(text, [Splice(start, members[index + 1].key.start)])
    if index:
        return spliced(text, [Splice(members[index - 1].value.end, end)])
    comma = re.compile(r"\s*,").match(text, end)
    return spliced(text, [Splice(start, comma.end() if comma else end)])


def _moved(config: Config, path: Location, to: Location) -> str:
    member, text = _member(config, path), config.source.text
    if member is None:
        raise CannotEditError(f"nothing is written at {path}")
    there = value_at(config.tree(), to)
    if there is ABSENT and path[:-1] == to[:-1]:
        return spliced(text, [Splice(member.key.start, member.key.end, json.dumps(to[-1]))])
    if there is ABSENT:
        return _removed(_read(_inserted(config, to, _raw(member.value))), path)
    inner = value_at(config.tree(), path)
    if not isinstance(inner, dict) or not isinstance(there, dict):
        raise CannotEditError(f"{to} has a value already")
    for key in inner:
        config = _read(_moved(config, (*path, key), (*to, key)))
    return _removed(config, path)


def _raw(value: Span) -> str:
    return json.dumps(value.text) if _is_bare(value) else value.text


def _is_bare(value: Span) -> bool:
    """Whether the value is a text without quotes, which takes all of its line."""
    return value.text[:1] not in "\"'{[" and not re.fullmatch(r"true|false|null|-?[\d.eE+-]+", value.text)


def _indent(text: str, at: int) -> str:
    return re.match(r"[ \t]*", text[line_start(text, at) : at])[0]  # type: ignore[index]


def _json(value: Any, text: str, indent: str) -> str:
    """``value`` as JSON; a table over several lines where the text has several."""
    if not isinstance(value, dict) or "\n" not in text.strip("\r\n"):
        return json.dumps(value)
    unit = re.search(r"\n([ \t]+)\S", text)
    lines = json.dumps(value, indent=unit[1] if unit else 2).split("\n")
    return f"{newline_of(text)}{indent}".join(lines)
