"""Values of a spec as TOML, spelled as people spell them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import tomlkit
from tomlkit.items import Float, Integer, Item, SingleKey, String, StringType, Trivia

from cfgc.deepspeed.config import Json
from cfgc.resolve.template import escape

_GROUPED = 10_000
"""Integers from here on have their thousands apart."""

_SMALL = 1e-2
"""Smaller numbers are written with an exponent."""

_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def toml_item(value: Json, expression: bool = False, grouped: bool = True) -> Item:
    """``value`` as an item. Text is literal, its ``${`` escaped, unless it is an ``expression``.

    ``grouped`` puts the thousands of a large integer apart.
    """
    if isinstance(value, Mapping):
        return _inline(value)
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        for element in value:
            array.append(toml_item(element))
        return array
    if isinstance(value, str):
        return _string(value if expression else escape(value))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _GROUPED and grouped:
        return Integer(value, Trivia(), f"{value:_}")
    if isinstance(value, float):
        return Float(value, Trivia(), _float(value))
    return tomlkit.item(value)


def _inline(value: Mapping[str, Json]) -> Item:
    """With a space inside its braces, as the shipped specs have it."""
    pairs = (f"{SingleKey(name).as_string()} = {toml_item(inner).as_string()}" for name, inner in value.items())
    return tomlkit.value(f"{{ {', '.join(pairs)} }}") if value else tomlkit.inline_table()


def _float(value: float) -> str:
    """``4.2e-4`` for 0.00042; the digits are those that give the same number again."""
    if value == 0 or abs(value) >= _SMALL:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int), "the number is finite"
    mantissa = "".join(map(str, digits))
    tail = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    return f"{'-' if sign else ''}{mantissa[0]}{tail}e{exponent + len(mantissa) - 1}"


def _string(text: str) -> String:
    """A basic string in which nothing is invisible."""
    return String(StringType.SLB, text, "".join(_character(c) for c in text), Trivia())


def _character(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return character if character.isprintable() else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
