"""resolved.toml: the whole spec, one line a value, with a comment that says where it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import get_args

import tomlkit
from tomlkit.items import InlineTable, Integer, Item, Key, SingleKey, String, StringType, Trivia

from cfgc.emit.markdown import duration
from cfgc.lower.plan import AnyPlan, Provenance
from cfgc.origin import LayerKind
from cfgc.resolve.template import escape
from cfgc.schema.catalogue import schema_fields

_BIG = 100_000
_MINUTE = 60
_LINE = 118
_WIDEST = 44
"""Columns up to which comments are aligned; a longer value does not push the others' comments away."""

_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True)
class _Node:
    """A table of the tree: its own values, and its tables, each in the order of appearance."""

    values: list[Provenance] = field(default_factory=list)
    tables: dict[str, _Node] = field(default_factory=dict)


def resolved_toml(plan: AnyPlan) -> str:
    """The text of resolved.toml; building it gives the same plan digest."""
    document = tomlkit.document()
    for line in _header(plan):
        document.add(tomlkit.comment(line))
    root = _tree(plan.review.provenance)
    if root.values:
        document.add(tomlkit.nl())
    for key, item in _lines(root.values):
        document.append(key, item)
    text = tomlkit.dumps(document)
    return text + "".join(f"\n{section}" for section in _sections((), root))


def _header(plan: AnyPlan) -> Iterator[str]:
    yield f"The whole spec of {plan.experiment.name}, as it was compiled: every value, and where it came from."
    yield from _layers(plan.review.provenance)
    if plan.sweep.points:
        count = len(plan.sweep.points)
        yield f"This is point 0 of {count:,}, which a build of this file gives; points.jsonl has the others."
        yield f"To change the sweep, change {plan.review.root} and build again."
        return
    yield f"To change the run, change {plan.review.root} and build again. A build of this file gives the same plan."


def _layers(provenance: Sequence[Provenance]) -> Iterator[str]:
    """How many values each layer gives, the strongest kind of layer first."""
    kinds = get_args(LayerKind)
    layers = Counter(line.origin.layer for line in provenance if line.origin and not line.derived)
    ordered = sorted(layers.items(), key=lambda entry: -kinds.index(entry[0].kind))
    counts = [f"{count:,} {layer}" for layer, count in ordered]
    derived = sum(bool(line.derived) for line in provenance)
    if counts:
        said = "Values by layer: " + " · ".join([*counts, *([f"{derived:,} derived"] if derived else [])])
        yield from wrap(_comment(said), _LINE, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _tree(provenance: Sequence[Provenance]) -> _Node:
    root = _Node()
    for entry in provenance:
        node = root
        for part in entry.path[:-1]:
            node = node.tables.setdefault(part, _Node())
        node.values.append(entry)
    return root


def _sections(path: tuple[str, ...], node: _Node) -> Iterator[str]:
    """Each table below ``node`` as text, depth first, its own values before its tables."""
    for name, child in node.tables.items():
        inner = (*path, name)
        plain = [entry for entry in child.values if not _is_tables(entry.value)]
        if plain:
            table = tomlkit.table()
            for key, item in _lines(plain):
                table.append(key, item)
            yield f"[{_dotted(inner)}]\n{table.as_string()}"
        for entry in child.values:
            if _is_tables(entry.value):
                yield from _array_sections(inner, entry)
        yield from _sections(inner, child)


def _array_sections(path: tuple[str, ...], entry: Provenance) -> Iterator[str]:
    """``[[data.sources]]`` once for each element."""
    assert isinstance(entry.value, list)
    header = f"[[{_dotted((*path, entry.path[-1]))}]]"
    for element in entry.value:
        table = tomlkit.table()
        for key, item in _lines([Provenance((name,), value, "") for name, value in element.items()]):
            table.append(key, item)
        yield f"{header}  # {_comment(entry.comment)}\n{table.as_string()}"


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _lines(entries: Sequence[Provenance]) -> Iterator[tuple[Key, Item]]:
    """Keys and items of one table: ``=`` and comments in columns."""
    rows = [(SingleKey(entry.path[-1]).as_string(), _item(entry.value), entry) for entry in entries]
    keys = max((len(key) for key, _, _ in rows), default=0)
    widths = [len(item.as_string()) for _, item, _ in rows]
    column = max((width for width in widths if width <= _WIDEST), default=0)
    for (key, item, entry), width in zip(rows, widths, strict=True):
        if entry.comment:
            item.comment(_comment(entry.comment + _in_hours(entry)))
            item.trivia.comment_ws = " " * (max(column - width, 0) + 2)
        item.trivia.trail = "\n"
        yield SingleKey(entry.path[-1], sep=" " * (keys - len(key)) + " = "), item


def _in_hours(entry: Provenance) -> str:
    """`` · 24 h`` of so many seconds."""
    known = schema_fields().get(entry.path)
    if known is None or known.meta.unit != "seconds" or not isinstance(entry.value, int) or entry.value < _MINUTE:
        return ""
    return f" · {duration(entry.value)}"


def _item(value: object) -> Item:
    if isinstance(value, Mapping):
        return _inline(value)
    if isinstance(value, (list, tuple)):
        array = tomlkit.array()
        for element in value:
            array.append(_item(element))
        return array
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _BIG:
        return Integer(value, Trivia(), f"{value:_}")
    return _string(value) if isinstance(value, str) else tomlkit.item(value)


def _inline(value: Mapping[str, object]) -> InlineTable:
    table = tomlkit.inline_table()
    for name, inner in value.items():
        table.append(name, _item(inner))
    return table


def _string(value: str) -> String:
    """A basic string in which nothing is invisible: text that could reorder a line is escaped.

    Interpolation is done: what still looks like one was escaped in the spec, and is escaped again here.
    """
    text = escape(value)
    written = "".join(_character(c) for c in text)
    return String(StringType.SLB, text, written, Trivia())


def _character(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return character if character.isprintable() else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(SingleKey(part).as_string() for part in path)
