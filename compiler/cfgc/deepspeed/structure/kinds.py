"""What kind a value is, and what DeepSpeed makes of one that is not of the key's."""

from __future__ import annotations

import math
import re

from cfgc.deepspeed.config import Json
from cfgc.deepspeed.table import MISSING, Key, Kind

TRUE = {"1", "on", "t", "true", "y", "yes"}
FALSE = {"0", "off", "f", "false", "n", "no"}
_INTEGER = re.compile(r"\s*[-+]?[0-9]+(?:\.0*)?\s*")
_OFF = {"number_checkpoints", "vocabulary_size"}
"""Numbers that are asked whether they are there, so that false leaves them out."""


def kinds_of(value: Json) -> set[Kind]:
    """The kinds that a value is without conversion: every integer is a number, an integral float an integer."""
    if value is None:
        return {"null"}
    if isinstance(value, bool):
        return {"bool"}
    if isinstance(value, int):
        return {"int", "float"}
    if isinstance(value, float):
        return {"int", "float"} if value.is_integer() else {"float"}
    return {"str"} if isinstance(value, str) else {"array"} if isinstance(value, list) else {"table"}


def read_as(key: Key, value: Json) -> Json:
    """What DeepSpeed makes of a value; MISSING when it refuses its kind, or hands it on as it is."""
    kinds = kinds_of(value)
    if kinds & key.kinds or not key.kinds:
        return value
    if not key.coerces:
        return _taken(key, value)
    if kinds & key.rejects:
        return MISSING
    return _coerced(key, value)


def _taken(key: Key, value: Json) -> Json:
    """What a value of another kind counts as where DeepSpeed converts nothing, but asks whether it is true or zero."""
    if "bool" in key.kinds and "table" not in key.kinds and isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if value is False and key.kinds & {"int", "float"}:
        return None if key.path[-1] in _OFF else 0
    return MISSING


def _coerced(key: Key, value: Json) -> Json:
    """What a model of pydantic makes of a value of another kind."""
    if "bool" in key.kinds and isinstance(value, str | int | float):
        text = value.strip().lower() if isinstance(value, str) else f"{value:g}"
        if text in TRUE | FALSE:
            return text in TRUE
    if "int" in key.kinds and (isinstance(value, bool) or (isinstance(value, str) and _INTEGER.fullmatch(value))):
        number = _number(value)
        return number if number is MISSING else int(number)
    if "float" in key.kinds and isinstance(value, bool | str):
        return _number(value)
    return MISSING


def _number(value: bool | str) -> Json:
    try:
        number = float(value)
    except ValueError:
        return MISSING
    return number if math.isfinite(number) else MISSING
