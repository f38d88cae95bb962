"""Edits of one text, whatever it is written in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from cfgc.diagnostics.model import Edit

Kind: TypeAlias = Literal["toml", "json"]


def kind_of(logical: str) -> Kind:
    """What the file of that name is written in: TOML, or JSON with or without HJSON's freedoms."""
    return "toml" if logical.endswith(".toml") else "json"


def apply_edits(text: str, edits: Iterable[Edit], kind: Kind) -> str:
    """``text`` after ``edits``, one after the other; comments, order and layout of all else stay.

    Raises ``CannotEditError`` when one of them cannot be done.
    """
    for edit in edits:
        text = _edited(text, edit, kind)
    return text


def _edited(text: str, edit: Edit, kind: Kind) -> str:
    if kind == "toml":
        from cfgc.fixing.toml_edits import edit_toml

        return edit_toml(text, edit)
    from cfgc.fixing.json_edits import edit_json

    return edit_json(text, edit)
