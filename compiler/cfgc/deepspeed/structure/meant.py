"""What a value of the wrong kind was probably meant to be."""

from __future__ import annotations

import json
import math
import re

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import AUTO, Json
from cfgc.deepspeed.structure.autos import FILLED
from cfgc.deepspeed.structure.bounds import chosen, default_of, out_of_bounds
from cfgc.deepspeed.structure.kinds import FALSE, TRUE, kinds_of
from cfgc.deepspeed.table import MISSING, Key

PYTHON = {"True": True, "False": False, "None": None}
_UNITS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgb]?)i?(?:b|bytes)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}


def meant_value(case: Case, key: Key, value: Json) -> tuple[bool, Json]:
    """The value that was probably meant, and whether nothing else can be."""
    if isinstance(value, str):
        read = read_word(key, value.strip())
        if read != value and kinds_of(read) & key.kinds:
            return read != _measured(key, value.strip()) or _is_json(value), read
    if "table" in key.kinds and isinstance(value, bool | str):
        names = ("enabled",) if isinstance(value, bool) else ("device", "type")
        inner = next((x for name in names if (x := case.release.key((*key.path, name)))), None)
        if inner and chosen(inner, value):
            return True, {inner.path[-1]: value}
    if (inner := _inside(key, value)) is not MISSING:
        return False, inner
    if isinstance(value, float) and "int" in key.kinds:
        return False, round(value) or int(value > 0)
    return False, default_of(key)


def _inside(key: Key, value: Json) -> Json:
    """The one value of an array or table that is a value of the key; MISSING when there is none."""
    held = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if len(held) != 1:
        return MISSING
    fits = kinds_of(held[0]) & key.kinds or (held[0] == AUTO and key.path in FILLED)
    return held[0] if fits and (held[0] == AUTO or not out_of_bounds(key, held[0])[0]) else MISSING


def read_word(key: Key, word: str) -> Json:
    """A word as the value that it spells: ``True``, ``yes``, ``5e8``; the word itself when it spells none."""
    if word in PYTHON:
        return PYTHON[word]
    if "bool" in key.kinds and word.lower() in TRUE | FALSE:
        return word.lower() in TRUE
    try:
        value = json.loads(word)
    except ValueError:
        return _measured(key, word)
    if isinstance(value, float):
        whole = value.is_integer() and "float" not in key.kinds
        return int(value) if whole else value if math.isfinite(value) else word
    return value


def _is_json(word: str) -> bool:
    try:
        json.loads(word)
    except ValueError:
        return False
    return True


def _measured(key: Key, word: str) -> Json:
    """A number with marks between its digits, or a unit behind them; the word itself when it is none."""
    number = _UNITS.fullmatch(word.replace(",", "").replace("_", ""))
    if not number or not key.kinds & {"int", "float"}:
        return word
    value = float(number[1]) * _FACTORS[number[2].lower()]
    read = int(value) if value.is_integer() else value
    return word if not kinds_of(read) & key.kinds or out_of_bounds(key, read)[0] else read
