"""The imported items as the text of a spec: sections in the schema's order, a comment on every line."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import tomlkit
from tomlkit.items import Item as TomlItem
from tomlkit.items import SingleKey, Table

from cfgc.deepspeed.config import Json, Path
from cfgc.diagnostics.masking import hidden, masked_text
from cfgc.importing.items import Dropped, Imported, Raw, Setting
from cfgc.importing.spec_values import toml_item
from cfgc.schema.catalogue import schema_fields, schema_positions, schema_sections

WIDTH = 120
_WIDEST = 46
"""Columns of ``key = value`` up to which comments are aligned."""

_NAMES = ("port", "seed")
"""Units of numbers that count nothing."""

_LONGEST_VALUE = 60
"""Characters that are shown of a value that was dropped."""


def spec_text(imported: Imported, source: str) -> str:
    """The whole file. ``source`` is the name of the imported file."""
    settings = _ordered([item for item in imported.items if isinstance(item, Setting)])
    sections = [(path, _section(path, list(group))) for path, group in groupby(settings, key=_table_of)]
    raw = [item for item in imported.items if isinstance(item, Raw)]
    dropped = [item for item in imported.items if isinstance(item, Dropped)]
    header = [part for line in _header(imported.title, settings) for part in textwrap.wrap(line, WIDTH - 2)]
    parts = ["".join(_comment(line) for line in header)]
    parts += [text for path, text in sections if not _is_after_raw(path)]
    parts += [*_raw_sections(raw, source), *(text for path, text in sections if _is_after_raw(path))]
    if dropped:
        parts.append("".join(_dropped(dropped)))
    return "\n".join(parts)


def _is_after_raw(path: Path) -> bool:
    """Whether the table comes after ``[deepspeed]`` in the schema."""
    order = [section[0] for section in schema_sections() if len(section) == 1]
    return path[0] in order and order.index(path[0]) > order.index("deepspeed")


def _header(title: str, settings: Sequence[Setting]) -> Iterator[str]:
    yield title
    yield "Look at every line that says `check`, and fill in what is yours to say; then: cfgc check"
    if not any(setting.key.startswith("overlays.") for setting in settings):
        yield 'The device is not known. Name it for more checks, as in: [overlays] hardware = "a100-80gb"'


def _ordered(settings: Iterable[Setting]) -> list[Setting]:
    """By table, then by key, both in the order of the schema; choices of overlays first."""
    tables = {path: position for position, path in enumerate(schema_sections())}
    positions = schema_positions()

    def place(setting: Setting) -> tuple[int, int]:
        path = tuple(setting.key.split("."))
        return tables.get(path[:-1], -1), positions.get(path, -1)

    return sorted(settings, key=place)


def _table_of(setting: Setting) -> Path:
    """The table that the key is in; an array of tables is one itself."""
    path = tuple(setting.key.split("."))
    return path if _is_tables(setting.value) else path[:-1]


def _is_tables(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _section(path: Path, settings: list[Setting]) -> str:
    if _is_tables(settings[0].value):
        return "\n".join(_array_table(path, element, settings[0].comment) for element in settings[0].value)
    rows = [(setting.key.rpartition(".")[2], _typed(setting), setting.comment) for setting in settings]
    return f"[{_dotted(path)}]\n{_table(rows).as_string()}"


def _array_table(path: Path, element: dict[str, Json], comment: str) -> str:
    rows = [(name, toml_item(value), "") for name, value in element.items()]
    return f"[[{_dotted(path)}]] # {_printable(comment)}\n{_table(rows).as_string()}"


def _typed(setting: Setting) -> TomlItem:
    """``1`` as 1.0 for a key of real numbers, 5e8 as an integer for one that counts."""
    field = schema_fields().get(tuple(setting.key.split(".")))
    value, kind = setting.value, field.info.annotation if field else None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    elif isinstance(value, float) and value.is_integer() and kind is not None and "float" not in str(kind):
        value = int(value)
    counts = field is not None and field.meta.unit not in _NAMES
    return toml_item(value, setting.expression, counts)


def _table(rows: Sequence[tuple[str, TomlItem, str]]) -> Table:
    """Keys with their comments in a column; a comment that is too long stands above its key."""
    table = tomlkit.table()
    widths = [len(SingleKey(name).as_string()) + 3 + len(item.as_string()) for name, item, _ in rows]
    column = max((width for width in widths if width <= _WIDEST), default=0)
    for (name, item, comment), width in zip(rows, widths, strict=True):
        gap = max(column - width, 0) + 1
        if comment and width + gap + 2 + len(comment) > WIDTH:
            for line in textwrap.wrap(_printable(comment), WIDTH - 2):
                table.add(tomlkit.comment(line))
        elif comment:
            item.comment(_printable(comment))
            item.trivia.comment_ws = " " * gap
        item.trivia.trail = "\n"
        table.append(name, item)
    return table


def _raw_sections(raw: Sequence[Raw], source: str) -> Iterator[str]:
    """``[deepspeed.raw]`` with its reason, and a table for each table of the file."""
    if not raw:
        return
    top = [(item.path[-1], toml_item(item.value), "") for item in raw if len(item.path) == 1]
    reason = ("reason", toml_item(f"imported from {source}"), "")
    yield f"[deepspeed.raw]\n{_table([reason, *top]).as_string()}"
    below = sorted((item for item in raw if len(item.path) > 1), key=lambda item: item.path[:-1])
    for path, group in groupby(below, key=lambda item: item.path[:-1]):
        rows = [(item.path[-1], toml_item(item.value), "") for item in group]
        yield f"[{_dotted(('deepspeed', 'raw', *path))}]\n{_table(rows).as_string()}"


def _dropped(dropped: Sequence[Dropped]) -> Iterator[str]:
    """One paragraph for each reason, the doubtful ones first."""
    yield _comment("Dropped:")
    reasons: dict[tuple[bool, str], dict[str, None]] = {}
    for item in dropped:
        reasons.setdefault((not item.doubtful, item.because), {})[_shown(item)] = None
    for (harmless, because), keys in sorted(reasons.items(), key=lambda pair: pair[0][0]):
        mark = "" if harmless else "check: "
        text = _printable(f"- {mark}{', '.join(keys)}: {because}")
        for line in textwrap.wrap(text, WIDTH - 2, subsequent_indent="  ", break_on_hyphens=False):
            yield _comment(line)


def _shown(item: Dropped) -> str:
    """The key and its value, cut and without secrets."""
    text = json.dumps(hidden(item.value, item.path[-1]), ensure_ascii=False, default=str)
    text = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
    return f"{'.'.join(item.path)} = {text}"


def _comment(text: str) -> str:
    return f"# {_printable(text)}\n"


def _printable(text: str) -> str:
    """``text`` on one line, without secrets and what a terminal or TOML would stumble over."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in masked_text(text))


def _dotted(path: Path) -> str:
    return ".".join(SingleKey(part).as_string() for part in path)
