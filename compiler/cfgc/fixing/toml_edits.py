"""Edits of a TOML text, as splices at the places that tomlkit's parser found: all else stays byte for byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cfgc.fixing.splices import Splice, line_end, line_start, spliced
from cfgc.fixing.toml_insert import inserted
from cfgc.fixing.toml_layout import Layout, key_parts, layout_of
from cfgc.fixing.toml_values import toml_key, toml_value
from cfgc.fixing.tree import ABSENT, CannotEditError, Location, edited_tree, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgc.diagnostics.model import Edit
    from cfgc.load.spans import Extent


def edit_toml(text: str, edit: Edit) -> str:
    """``text`` after ``edit``: it reads as it did, but for the edit. Raises ``CannotEditError`` when it can't be."""
    layout = layout_of(text)
    wanted = edited_tree(layout.tree, edit, layout.stays)
    if edit.action == "set":
        after = _set(layout, edit.path, toml_value(edit.value))
    elif edit.action == "remove":
        after = _removed(layout, edit.path)
    else:
        after = _moved(layout, edit.path, edit.to)
    if repr(layout_of(after).tree) != repr(_ordered_like(layout_of(after).tree, wanted)):
        raise CannotEditError("the outcome would not read as it should")
    return after


def _ordered_like(model: object, tree: object) -> object:
    """``tree`` with the keys of each table in the order of ``model``; unchanged where the two differ."""
    if isinstance(model, dict) and isinstance(tree, dict) and model.keys() == tree.keys():
        return {key: _ordered_like(model[key], tree[key]) for key in model}
    if isinstance(model, list) and isinstance(tree, list) and len(model) == len(tree):
        return [_ordered_like(a, b) for a, b in zip(model, tree, strict=True)]
    return tree


def _set(layout: Layout, path: Location, raw: str) -> str:
    if layout.is_literal(path):
        start, end = layout.places.values[path].value
        return spliced(layout.text, [Splice(start, end, raw)])
    if value_at(layout.tree, path) is not ABSENT:
        layout = layout_of(_removed(layout, path))
    return inserted(layout, path, raw)


def _removed(layout: Layout, path: Location) -> str:
    around = layout.literal_around(path)
    if around is not None:
        return _without_member(layout, around, path)
    headers = [location for location, _ in layout.headers_below(path)]
    lines = layout.below(path)
    if not headers and not lines:
        raise CannotEditError(f"nothing is written at {path}")
    headers += _emptied(layout, path)
    regions = [layout.region(header) for header in headers]
    regions += [
        (line_start(layout.text, line.key[0]), line_end(layout.text, line.value[1]))
        for line in lines
        if line.container not in headers
    ]
    return spliced(layout.text, _cuts(layout.text, regions))


def _emptied(layout: Layout, path: Location) -> Iterator[Location]:
    """The headers above ``path`` that have nothing else to hold."""
    for length in range(len(path) - 1, 0, -1):
        above = path[:length]
        lines = [line.location for line in layout.below(above)]
        headers = [location for location, _ in layout.headers_below(above) if location != above]
        if isinstance(above[-1], int) or any(other[: len(path)] != path for other in (*lines, *headers)):
            return
        if above in layout.places.headers:
            if layout.stays(above):
                return
            yield above


def _cuts(text: str, regions: list[Extent]) -> Iterator[Splice]:
    """The whole lines of ``regions`` out of ``text``, neighbours as one, without two blank lines in a row."""
    joined: list[Extent] = []
    for start, end in sorted(regions):
        gap = text[joined[-1][1] : start] if joined else "x"
        if joined and not gap.strip():
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    for start, end in joined:
        blank_before = start == 0 or re.search(r"(?:\A|\n)[ \t]*\r?\n\Z", text[:start]) is not None
        blank_after = re.compile(r"[ \t]*\r?\n").match(text, end)
        if blank_before and blank_after:
            yield Splice(start, blank_after.end())
        elif end == len(text):
            yield Splice(len(text[:start].rstrip()) + _newline_at(text, len(text[:start].rstrip())), end)
        else:
            yield Splice(start, end)


def _newline_at(text: str, at: int) -> int:
    found = re.compile(r"\r?\n").match(text, at)
    return len(found.group()) if found else 0


def _without_member(layout: Layout, around: Location, path: Location) -> str:
    members = layout.members(around)
    found = [member for member in members if member.location[: len(path)] == path]
    if not found:
        raise CannotEditError(f"nothing is written at {path}")
    if len(found) > 1:
        layout = layout_of(_without_member(layout, around, found[-1].location))
        return _without_member(layout, around, path)
    position = members.index(found[0])
    start, end = found[0].key[0], found[0].value[1]
    comma = re.compile(r"\s*,[ \t]*").match(layout.text, end)
    if position + 1 < len(members):
        end = members[position + 1].key[0]
    elif position > 0 and not comma:
        start = members[position - 1].value[1]
        gap = layout.text[start : found[0].key[0]]
        if "#" in gap:
            start = found[0].key[0]
    elif comma:
        end = comma.end()
    return spliced(layout.text, [Splice(start, end)])


def _moved(layout: Layout, path: Location, to: Location) -> str:
    if not isinstance(path[-1], str):
        raise CannotEditError(f"what stands at {path} has no name")
    absent = value_at(layout.tree, to) is ABSENT
    if absent and path[:-1] == to[:-1]:
        return spliced(layout.text, _renaming(layout, path, to[-1]))
    if absent and _only_headers(layout, path) and all(isinstance(part, str) for part in (*path, *to)):
        return _with_other_headers(layout, path, to)
    return _moved_lines(layout, path, to)


def _renaming(layout: Layout, path: Location, name: str | int) -> Iterator[Splice]:
    """Another last part for ``path`` wherever it is written."""
    around = layout.literal_around(path)
    lines = [line for line in layout.members(around) if line.location[: len(path)] == path] if around else []
    for line in lines or layout.below(path):
        index = _names(path[:-1]) - _names(line.container)
        if index >= 0:
            yield Splice(*key_parts(layout.text, line.key)[index], toml_key((name,)))
    for _, key in {} if around else layout.headers_below(path):
        yield Splice(*key_parts(layout.text, key)[_names(path[:-1])], toml_key((name,)))


def _names(location: Location) -> int:
    return sum(isinstance(part, str) for part in location)


def _only_headers(layout: Layout, path: Location) -> bool:
    headers = layout.headers_below(path)
    return bool(headers) and all(line.container[: len(path)] == path for line in layout.below(path))


def _with_other_headers(layout: Layout, path: Location, to: Location) -> str:
    parts = [(key, key_parts(layout.text, key)) for _, key in layout.headers_below(path)]
    splices = [Splice(key[0], found[len(path) - 1][1], toml_key(to)) for key, found in parts]
    cuts = _cuts(layout.text, [layout.region(header) for header in _emptied(layout, path)])
    return spliced(layout.text, [*splices, *cuts])


def _moved_lines(layout: Layout, path: Location, to: Location) -> str:
    """Every value below ``path`` written again at its new place, with the comment behind it."""
    leaves = [path] if layout.is_literal(path) else [line.location for line in layout.below(path)]
    if not leaves or any(isinstance(part, int) for leaf in leaves for part in leaf[len(path) :]):
        raise CannotEditError(f"{path} cannot be moved line by line")
    for leaf in leaves:
        value = layout.places.values[leaf].value
        raw = layout.text[value[0] : value[1]]
        comment = "" if layout.literal_around(leaf) else _comment_behind(layout.text, value[1])
        target = (*to, *leaf[len(path) :])
        if value_at(layout.tree, target) is not ABSENT:
            raise CannotEditError(f"{target} has a value already")
        layout = layout_of(inserted(layout, target, raw, comment))
        layout = layout_of(_removed(layout, leaf))
    if value_at(layout.tree, path) is not ABSENT and layout.headers_below(path):
        layout = layout_of(_removed(layout, path))
    return layout.text


def _comment_behind(text: str, end: int) -> str:
    found = re.compile(r"[ \t]*#[^\r\n]*").match(text, end)
    return found.group() if found else ""
