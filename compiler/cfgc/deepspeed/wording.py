"""How rules about a ds_config spell keys and values."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cfgc.deepspeed.config import Json


def pair(dotted: str, value: Json) -> str:
    """What to write in the file: ``"stage": 3``; the key alone, since its table is named beside it."""
    return f'`"{leaf(dotted)}": {shown(value)}`'


def shown(value: Json) -> str:
    """The value as JSON has it, cut when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def leaf(dotted: str) -> str:
    """The key's own name."""
    return dotted.rsplit(".", 1)[-1]


def into(dotted: str) -> str:
    """``in `scheduler.params` ``, with a space before it; empty for a key of the top level."""
    table = dotted.rpartition(".")[0]
    return f" in `{table}`" if table else ""


def either(words: Iterable[Json]) -> str:
    """``"a"``, ``"b"`` or ``"c"``, as JSON."""
    *firsts, last = (f"`{shown(word)}`" for word in words)
    return f"{', '.join(firsts)} or {last}" if firsts else last


def count(number: int, noun: str) -> str:
    """``1 rank``, ``8 ranks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def unsplit(world: int, groups: str) -> str:
    """``8 ranks do not split into groups of 3``."""
    return f"{count(world, 'rank')} {'does' if world == 1 else 'do'} not split into groups of {groups}"
