"""Numbers in ``${…}``: Python's arithmetic, bounded so that no spec can hang the compiler."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Number: TypeAlias = int | float

MAX_BITS = 63
"""Bits of an integer: TOML's integers have 64 with the sign."""


class ArithmeticFailure(Exception):  # noqa: N818 - the spec's mistake, not a defect
    """Two numbers that have no result. ``kind`` is ``arithmetic`` or ``size``."""

    def __init__(self, message: str, kind: str = "arithmetic") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Function:
    """A function: how few and how many arguments, and what it computes."""

    arguments: tuple[int, int]
    compute: Callable[[Sequence[Number]], Number]


def fitting(number: Number) -> Number:
    """``number`` when TOML can hold it. Raises ``ArithmeticFailure``."""
    if isinstance(number, float) and not math.isfinite(number):
        raise ArithmeticFailure("the result is too large for a float", "size")
    if isinstance(number, int) and number.bit_length() > MAX_BITS:
        raise ArithmeticFailure("the result does not fit in 64 bits", "size")
    return number


def _checked(compute: Callable[[Number, Number], Number]) -> Callable[[Number, Number], Number]:
    def checked(left: Number, right: Number) -> Number:
        try:
            return fitting(compute(left, right))
        except ZeroDivisionError:
            raise ArithmeticFailure("this divides by zero") from None
        except OverflowError:
            raise ArithmeticFailure("the result is too large for a float", "size") from None

    return checked


def _divide(left: Number, right: Number) -> Number:
    """Two integers that divide evenly give an integer."""
    if isinstance(left, int) and isinstance(right, int) and right != 0 and left % right == 0:
        return left // right
    return left / right


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and exponent > MAX_BITS:
        raise ArithmeticFailure("the result does not fit in 64 bits", "size")
    result = base**exponent
    if isinstance(result, complex):
        raise ArithmeticFailure("a negative number has no such power")
    return fitting(result)


def _round(numbers: Sequence[Number]) -> Number:
    number, *places = numbers
    if not places:
        return fitting(round(number))
    if not isinstance(places[0], int) or abs(places[0]) > 30:
        raise ArithmeticFailure("`round` takes a whole number of places, at most 30")
    return fitting(round(number, places[0]))


def _log2(numbers: Sequence[Number]) -> Number:
    if numbers[0] <= 0:
        raise ArithmeticFailure("only a positive number has a logarithm")
    return math.log2(numbers[0])


OPERATORS: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: _checked(operator.add),
    ast.Sub: _checked(operator.sub),
    ast.Mult: _checked(operator.mul),
    ast.Div: _checked(_divide),
    ast.FloorDiv: _checked(operator.floordiv),
    ast.Mod: _checked(operator.mod),
    ast.Pow: _checked(_power),
}

FUNCTIONS: Mapping[str, Function] = {
    "min": Function((1, 100), min),
    "max": Function((1, 100), max),
    "ceil": Function((1, 1), lambda numbers: fitting(math.ceil(numbers[0]))),
    "floor": Function((1, 1), lambda numbers: fitting(math.floor(numbers[0]))),
    "round": Function((1, 2), _round),
    "log2": Function((1, 1), _log2),
}
