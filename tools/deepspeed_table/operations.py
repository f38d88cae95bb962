"""Operators on literals."""

from __future__ import annotations

from typing import Any

import libcst as cst

from .values import UNKNOWN, Const, Value, known, literal

OPERATIONS: dict[type[cst.BaseBinaryOp], Any] = {
    cst.Add: lambda a, b: a + b,
    cst.Subtract: lambda a, b: a - b,
    cst.Multiply: lambda a, b: a * b,
    cst.Divide: lambda a, b: a / b,
    cst.FloorDivide: lambda a, b: a // b,
    cst.Power: lambda a, b: a**b,
}

COMPARISONS: dict[type[cst.BaseCompOp], Any] = {
    cst.Equal: lambda a, b: a == b,
    cst.NotEqual: lambda a, b: a != b,
    cst.In: lambda a, b: a in b,
    cst.NotIn: lambda a, b: a not in b,
    cst.Is: lambda a, b: a is b,
    cst.IsNot: lambda a, b: a is not b,
}


def compared(operator: cst.BaseCompOp, left: Value, right: Value) -> Value:
    """A comparison of two literals; names of deepspeed's optimizers and versions are told apart by these."""
    work = COMPARISONS.get(type(operator))
    if work is None or not (known(left) and known(right)):
        return UNKNOWN
    try:
        return (Const(bool(work(literal(left), literal(right)))),)
    except TypeError:
        return UNKNOWN
