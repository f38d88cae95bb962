"""Values, origins and tables as text."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cfgc.diagnostics.masking import hidden
from cfgc.origin import Origin, Path

_WIDEST = 60


def short_text(value: object, path: Path) -> str:
    """``value`` of the key ``path`` on one line, cut where it is long; a secret as dots."""
    text = whole_text(value, path)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def whole_text(value: object, path: Path) -> str:
    """``value`` on one line, however long; a secret as dots."""
    shown = hidden(value, path[-1])
    if isinstance(shown, bool):
        return str(shown).lower()
    if isinstance(shown, str | list | tuple | dict):
        return json.dumps(shown, ensure_ascii=False, default=str)
    return str(shown)


def layer_text(origin: Origin) -> str:
    """``base``, ``spec``, ``overlay zero=2``."""
    return str(origin.layer) if origin.layer.kind == "overlay" else origin.layer.kind


def columns_of(rows: Sequence[Sequence[str]]) -> list[str]:
    """``rows`` as indented lines with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
