"""Where a new key goes in a TOML text, and in which form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cfgc.fixing.splices import Splice, line_end, line_start, newline_of, spliced
from cfgc.fixing.toml_values import toml_key
from cfgc.fixing.tree import ABSENT, CannotEditError, Location, value_at

if TYPE_CHECKING:
    from cfgc.fixing.toml_layout import Layout

_HEAD = re.compile(r"(?:[ \t]*#[^\n]*\n)+(?:[ \t]*\r?\n)+")
"""Comments at the top that a blank line parts from what follows."""


def inserted(layout: Layout, path: Location, raw: str, comment: str = "") -> str:
    """The text with ``raw`` as the value of ``path``, which is not there yet. Raises ``CannotEditError``."""
    anchor = next(path[:n] for n in range(len(path) - 1, -1, -1) if value_at(layout.tree, path[:n]) is not ABSENT)
    rest = path[len(anchor) :]
    around = anchor if layout.is_literal(anchor) else layout.literal_around((*anchor, ""))
    if anchor and around is not None:
        return _in_literal(layout, around, path, raw)
    if anchor and not isinstance(value_at(layout.tree, anchor), dict):
        raise CannotEditError(f"{anchor} holds no keys")
    if anchor and anchor not in layout.places.headers:
        return _beside(layout, anchor, path, raw, comment)
    if len(rest) == 1 or any(isinstance(part, int) for part in path):
        return _in_table(layout, anchor, rest, f"{raw}{comment}")
    return _new_section(layout, anchor, path, f"{raw}{comment}")


def _in_literal(layout: Layout, around: Location, path: Location, raw: str) -> str:
    rest = path[len(around) :]
    start, end = layout.places.values[around].value
    members = layout.members(around)
    if layout.text[start] == "[":
        if len(rest) != 1 or rest[0] != len(members):
            raise CannotEditError("an array is only added to at its end")
        entry = raw
    elif layout.text[start] == "{":
        entry = f"{toml_key(rest)} = {raw}"
    else:
        raise CannotEditError(f"{around} holds no keys")
    if members:
        last = members[-1].value[1]
        return spliced(layout.text, [Splice(last, last, f", {entry}")])
    space = "" if layout.text[start] == "[" else " "
    return spliced(layout.text, [Splice(start + 1, end - 1, f"{space}{entry}{space}")])


def _beside(layout: Layout, anchor: Location, path: Location, raw: str, comment: str) -> str:
    """In a table without a header of its own: behind a dotted key of it, or under a header before its own tables."""
    dotted = [line for line in layout.below(anchor) if len(line.container) < len(anchor)]
    if dotted:
        key = toml_key(path[len(dotted[-1].container) :])
        return _line_behind(layout.text, dotted[-1].value[1], f"{key} = {raw}{comment}")
    headers = layout.headers_below(anchor)
    if not headers:
        raise CannotEditError(f"{anchor} is not written")
    at = line_start(layout.text, headers[0][1][0])
    newline = newline_of(layout.text)
    section = f"[{toml_key(path[:-1])}]{newline}{toml_key(path[-1:])} = {raw}{comment}{newline}{newline}"
    return spliced(layout.text, [Splice(at, at, section)])


def _in_table(layout: Layout, table: Location, rest: Location, raw: str) -> str:
    line = f"{toml_key(rest)} = {raw}"
    there = layout.of_table(table)
    if there:
        return _line_behind(layout.text, there[-1].value[1], line, _indent(layout.text, there[-1].key[0]))
    if table:
        return _line_behind(layout.text, layout.places.headers[table][1], line)
    head = _HEAD.match(layout.text)
    at = head.end() if head else 0
    newline = newline_of(layout.text)
    blank = newline if layout.text[at:].strip() else ""
    return spliced(layout.text, [Splice(at, at, f"{line}{newline}{blank}")])


def _new_section(layout: Layout, anchor: Location, path: Location, raw: str) -> str:
    """A header of its own, behind the sections of the table that it belongs to."""
    headers = layout.headers_below(anchor)
    ends = [layout.region(location)[1] for location, _ in headers]
    ends += [line_end(layout.text, line.value[1]) for line in layout.of_table(())] if not anchor else []
    at = max(ends, default=len(layout.text))
    newline = newline_of(layout.text)
    before = "" if at == 0 else newline if layout.text[:at].endswith("\n") else newline * 2
    section = f"{before}[{toml_key(path[:-1])}]{newline}{toml_key(path[-1:])} = {raw}{newline}"
    return spliced(layout.text, [Splice(at, at, section)])


def _line_behind(text: str, at: int, line: str, indent: str = "") -> str:
    """``line`` on a line of its own, behind the one that ``at`` is on."""
    end, newline = line_end(text, at), newline_of(text)
    before = "" if text[:end].endswith("\n") else newline
    after = newline if not before else ""
    return spliced(text, [Splice(end, end, f"{before}{indent}{line}{after}")])


def _indent(text: str, at: int) -> str:
    return text[line_start(text, at) : at]
