"""Values as LibCST expressions, laid out as ``ruff format`` would."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass

import libcst as cst

WIDTH = 120
_BIG = 100_000
_STEP = "    "


def expression_of(value: object, depth: int = 0, column: int = 0) -> cst.BaseExpression:
    """``value`` as an expression that starts at ``column`` of a line ``depth`` levels deep.

    Raises TypeError for what is no data.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return _call_of(value, depth)
    if isinstance(value, Mapping):
        return _tuple_of(tuple(sorted(value.items())), depth, column)
    if isinstance(value, tuple):
        return _tuple_of(value, depth, column)
    return _scalar_of(value)


def string_of(text: str) -> cst.SimpleString:
    """A literal in double quotes, unless single ones need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return cst.SimpleString(quote + "".join(_escaped(c, quote) for c in text) + quote)


def _escaped(character: str, quote: str) -> str:
    if character in "'\"":
        return "\\" + character if character == quote else character
    return repr(character)[1:-1]


def _scalar_of(value: object) -> cst.BaseExpression:
    if isinstance(value, bool):
        return cst.Name(str(value))
    if isinstance(value, int):
        return _signed(cst.Integer(f"{abs(value):_}" if abs(value) >= _BIG else str(abs(value))), value < 0)
    if isinstance(value, float) and math.isfinite(value):
        return _signed(cst.Float(repr(abs(value))), math.copysign(1.0, value) < 0)
    if isinstance(value, str):
        return string_of(value)
    raise TypeError(f"no literal for {value!r}")


def _signed(number: cst.BaseExpression, negative: bool) -> cst.BaseExpression:
    return cst.UnaryOperation(cst.Minus(), number) if negative else number


def _call_of(value: object, depth: int) -> cst.Call:
    assert is_dataclass(value)
    args = [_arg_of(field.name, getattr(value, field.name), depth + 1) for field in fields(value)]
    comma, last, opening = _broken(depth)
    args = [*(arg.with_changes(comma=comma) for arg in args[:-1]), args[-1].with_changes(comma=last)]
    return cst.Call(cst.Name(type(value).__name__), args, whitespace_before_args=opening)


def _arg_of(name: str, value: object, depth: int) -> cst.Arg:
    column = len(_STEP) * depth + len(name) + 1
    return cst.Arg(expression_of(value, depth, column), keyword=cst.Name(name), equal=_TIGHT)


def call_of(
    function: cst.BaseExpression,
    handed: Sequence[cst.BaseExpression],
    arguments: Mapping[str, object],
    depth: int,
    column: int,
) -> cst.Call:
    """``function(*handed, **arguments)`` that starts at ``column`` of a line ``depth`` levels deep."""
    flat = [*map(cst.Arg, handed), *(_keyword(name, _flat_literal(value)) for name, value in arguments.items())]
    flat = [*(arg.with_changes(comma=_SPACED) for arg in flat[:-1]), *flat[-1:]]
    call = cst.Call(function, flat)
    if column + len(cst.Module([]).code_for_node(call)) <= WIDTH:
        return call
    comma, last, opening = _broken(depth)
    args = list(map(cst.Arg, handed))
    for name, value in arguments.items():
        start = len(_STEP) * (depth + 1) + len(name) + 1
        args.append(_keyword(name, literal_of(value, depth + 1, start)))
    args = [*(arg.with_changes(comma=comma) for arg in args[:-1]), args[-1].with_changes(comma=last)]
    return cst.Call(function, args, whitespace_before_args=opening)


def literal_of(value: object, depth: int, column: int) -> cst.BaseExpression:
    """A list, a dictionary or a scalar as Python writes it, on one line where it fits."""
    flat = _flat_literal(value)
    if not isinstance(value, (list, dict)) or not value or column + len(cst.Module([]).code_for_node(flat)) < WIDTH:
        return flat
    comma, last, opening = _broken(depth)
    commas = [*[comma] * (len(value) - 1), last]
    inner = len(_STEP) * (depth + 1)
    if isinstance(value, list):
        items = [cst.Element(literal_of(v, depth + 1, inner), c) for v, c in zip(value, commas, strict=True)]
        return cst.List(items, lbracket=cst.LeftSquareBracket(opening))
    keys = [string_of(key) for key in value]
    values = [literal_of(v, depth + 1, inner + len(k.value) + 2) for k, v in zip(keys, value.values(), strict=True)]
    pairs = [cst.DictElement(k, v, c) for k, v, c in zip(keys, values, commas, strict=True)]
    return cst.Dict(pairs, lbrace=cst.LeftCurlyBrace(opening))


def _flat_literal(value: object) -> cst.BaseExpression:
    if isinstance(value, list):
        items = [cst.Element(_flat_literal(item), _SPACED) for item in value]
        return cst.List([*items[:-1], *(item.with_changes(comma=cst.MaybeSentinel.DEFAULT) for item in items[-1:])])
    if isinstance(value, dict):
        pairs = [cst.DictElement(string_of(key), _flat_literal(item), _SPACED) for key, item in value.items()]
        return cst.Dict([*pairs[:-1], *(pair.with_changes(comma=cst.MaybeSentinel.DEFAULT) for pair in pairs[-1:])])
    return _scalar_of(value)


def _keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    return cst.Arg(value, keyword=cst.Name(name), equal=_TIGHT)


def _tuple_of(items: Sequence[object], depth: int, column: int) -> cst.Tuple:
    values = [expression_of(item, depth + 1, len(_STEP) * (depth + 1)) for item in items]
    flat = _flat_tuple(values)
    code = cst.Module([]).code_for_node(flat)
    if "\n" not in code and column + len(code) < WIDTH:
        return flat
    comma, last, opening = _broken(depth)
    elements = [*(cst.Element(value, comma=comma) for value in values[:-1]), cst.Element(values[-1], comma=last)]
    return cst.Tuple(elements, lpar=[cst.LeftParen(whitespace_after=opening)])


def _flat_tuple(values: list[cst.BaseExpression]) -> cst.Tuple:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if len(values) == 1:
        return cst.Tuple([cst.Element(values[0], comma=cst.Comma())])
    return cst.Tuple([cst.Element(value, comma=comma) for value in values[:-1]] + [cst.Element(v) for v in values[-1:]])


def _broken(depth: int) -> tuple[cst.Comma, cst.Comma, cst.ParenthesizedWhitespace]:
    """One item to a line: the comma between two, the last comma, and the white space after the opening bracket."""
    inner, outer = _newline(depth + 1), _newline(depth)
    return cst.Comma(whitespace_after=inner), cst.Comma(whitespace_after=outer), inner


def _newline(depth: int) -> cst.ParenthesizedWhitespace:
    return cst.ParenthesizedWhitespace(last_line=cst.SimpleWhitespace(_STEP * depth))


_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
_SPACED = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
