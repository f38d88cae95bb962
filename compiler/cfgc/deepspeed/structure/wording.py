"""Words that findings about keys share, and the findings themselves as the walk collects them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from cfgc.deepspeed.case import Case, entry_span
from cfgc.deepspeed.config import Json, Path
from cfgc.diagnostics import Diagnostic, Label, Severity
from cfgc.diagnostics.model import Edit, Fix

SHOWN = 60
"""Characters of a value that are repeated in a message."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with the key at ``path``; an error there leaves nothing more to say of the key."""

    path: Path
    diagnostic: Diagnostic


def dotted(path: Path) -> str:
    """The path as it is said; quotes around what would read as something else, long names cut."""
    return ".".join(
        part if part and "." not in part else json.dumps(part, ensure_ascii=False) for part in map(cut, path)
    )


def cut(text: str) -> str:
    """The text, cut when it is long."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def shown(value: Json) -> str:
    """The value as JSON, cut when it is long."""
    return cut(json.dumps(value, ensure_ascii=False))


def listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def pair(name: str, value: Json) -> str:
    """``"stage": 2`` to paste; the name alone for a value that is long."""
    text = json.dumps(value, ensure_ascii=False)
    return f'"{name}": {text if len(text) <= SHOWN else "…"}'


def nested(path: Path, value: Json) -> str:
    """``"zero_optimization": {"stage": 2}`` to paste."""
    for part in reversed(path[1:]):
        value = {part: value}
    return pair(path[0], value)


def placed(case: Case, path: Path, value: Json) -> str:
    """``"stage": 2`` and the section to write it in; sections that are not there yet are written with it."""
    there = next((depth for depth in range(len(path) - 1, 0, -1) if _is_table(case, path[:depth])), 0)
    return f"`{nested(path[there:], value)}`" + (f" in `{dotted(path[:there])}`" if there else "")


def _is_table(case: Case, path: Path) -> bool:
    entry = case.config.get(path)
    return entry is not None and isinstance(entry.value, dict)


def key_label(case: Case, path: Path, text: str = "") -> Label | None:
    """The name of the key."""
    entry = case.config.get(path)
    if entry is None or entry.span is None:
        return None
    span = entry.key or entry.span
    return Label(span, f"{text}, from {entry.layer}".removeprefix(", ") if entry.layer else text)


def entry_label(case: Case, path: Path, text: str = "") -> Label | None:
    """The key with its value; the name alone of a table."""
    entry = case.config.get(path)
    if entry is None or entry.span is None:
        return None
    if isinstance(entry.value, dict | list):
        return key_label(case, path, text)
    span = entry_span(entry.span, entry.key)
    return Label(span, f"{text}, from {entry.layer}".removeprefix(", ") if entry.layer else text)


def said(
    code: str,
    path: Path,
    message: str,
    primary: Label | None,
    *,
    secondary: Iterable[Label | None] = (),
    notes: Iterable[str] = (),
    helps: Iterable[str] = (),
    fixes: Iterable[Fix] = (),
    severity: Severity = "error",
) -> Finding:
    """The finding with these words."""
    others = tuple(label for label in secondary if label)
    return Finding(path, Diagnostic(code, message, primary, others, tuple(notes), tuple(helps), severity, tuple(fixes)))


def place(case: Case, path: Path) -> Path:
    """Where a change of ``path`` goes in the file that was written."""
    entry = case.config.get(path)
    return entry.edited if entry and entry.edited else (*case.config.home, *path)


def drop(case: Case, path: Path) -> Edit:
    """Take the key out."""
    return Edit("remove", case.config.source, place(case, path))


def give(case: Case, path: Path, value: Json) -> Edit:
    """Give the key a value."""
    return Edit("set", case.config.source, place(case, path), value=value)


def move(case: Case, path: Path, to: Path) -> Edit:
    """Give the value of ``path`` to ``to``; take ``path`` out when ``to`` has a value already."""
    if case.config.get(to) is not None:
        return drop(case, path)
    return Edit("move", case.config.source, place(case, path), to=place(case, to))
