"""Arithmetic in ``${…}`` is Python's, within bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.origin import Value
from cfgc.resolve.expression import ExpressionError, Reference, evaluate, parse_expression

KEYS: dict[tuple[str | int, ...], Value] = {("a", "n"): 12, ("a", "f"): 2.5, ("a", "t"): "text", ("b",): [1, {"c": 3}]}


def lookup(reference: Reference) -> Value:
    return KEYS[reference.path]


def computed(text: str) -> Value:
    return evaluate(parse_expression(text), lookup)


def failure(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        computed(text)
    return caught.value


# Small enough that no sum of eight of them, whatever its parts come to, leaves 64 bits.
NUMBERS = st.one_of(st.integers(-30, 30), st.floats(-30, 30, allow_nan=False).map(lambda x: round(x, 2))).map(repr)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%"])
    binary = st.tuples(inner, operators, inner).map(" ".join)
    called = st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda c: f"{c[0]}({c[1]}, {c[2]})")
    rounded = st.tuples(st.sampled_from(["math.ceil", "math.floor", "round"]), inner).map(lambda c: f"{c[0]}({c[1]})")
    return st.one_of(binary, binary.map(lambda e: f"({e})"), inner.map(lambda e: f"-({e})"), called, rounded)


@given(st.recursive(NUMBERS, combined, max_leaves=8))
def test_arithmetic_agrees_with_python(text: str) -> None:
    try:
        expected = eval(text, {"__builtins__": {}, "math": math, "min": min, "max": max, "round": round})
    except ZeroDivisionError:
        assert failure(text.replace("math.", "")).kind == "arithmetic"
        return
    if abs(expected) < 2**53:
        assert computed(text.replace("math.", "")) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.n", 12),
        ("a.t", "text"),
        ("b", [1, {"c": 3}]),
        ("a.n // 5", 2),
        ("a.n / 4", 3),
        ("a.n / 5", 2.4),
        ("2 ** 10", 1024),
        ("-a.n ** 2", -144),
        ("(a.n + 1) * a.f", 32.5),
        ("ceil(a.f)", 3),
        ("floor(-a.f)", -3),
        ("round(2.345, 1)", 2.3),
        ("log2(8)", 3.0),
        ("min(3, a.n, 7)", 3),
        ("  a.n\n + 1", 13),
        ("${a.n} * 2", 24),
        ("(${a.n} + 1) * ${a.f}", 32.5),
    ],
)
def test_values(text: str, value: Value) -> None:
    found = computed(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "kind", "marked"),
    [
        ("a.n + a.t", "type", "a.t"),
        ("1 + (a.n // 0)", "arithmetic", "a.n // 0"),
        ("0 ** -1", "arithmetic", "0 ** -1"),
        ("(-8) ** 0.5", "arithmetic", "-8) ** 0.5"),
        ("log2(0)", "arithmetic", "log2(0)"),
        ("2 ** 63", "size", "2 ** 63"),
        ("10.0 ** 400", "size", "10.0 ** 400"),
        ("9 ** 9 ** 9", "size", "9 ** 9"),
        ("1e400", "size", "1e400"),
        ("sqrt(4)", "function", "sqrt"),
        ("min()", "function", "min()"),
        ("min(*b)", "function", "min(*b)"),
        ("round(1.5, ndigits=1)", "function", "round(1.5, ndigits=1)"),
        ("a.n if 1 else 2", "syntax", "a.n if 1 else 2"),
        ("'x' * 3", "syntax", "'x'"),
        ("a.n == 12", "syntax", "a.n == 12"),
        ("[1]", "syntax", "[1]"),
        ("True", "syntax", "True"),
        ("lambda: 1", "syntax", "lambda: 1"),
        ("a.n.__class__()", "function", "a.n.__class__"),
        ("1 +", "syntax", "1 +"),
        ("", "syntax", ""),
        ("  ", "syntax", "  "),
        ("1 + é", "syntax", "é"),
        ("+".join("1" * 200), "syntax", None),
        ("(" * 300 + "1" + ")" * 300, "syntax", None),
        ("1" * 2000, "syntax", None),
    ],
)
def test_what_is_wrong_and_where(text: str, kind: str, marked: str | None) -> None:
    error = failure(text)
    assert error.kind == kind
    assert marked is None or marked in text[error.start : error.end] or text[error.start : error.end] in marked


def extent_of_failure(text: str) -> tuple[int, int]:
    try:
        evaluate(parse_expression(text), lambda reference: 3)
    except ExpressionError as error:
        return error.start, error.end
    return 0, 0


@given(st.text("ab.12+-*/%()[]{}$,'\" minlogé\n", max_size=20))
def test_no_text_is_a_traceback(text: str) -> None:
    start, end = extent_of_failure(text)
    assert 0 <= start <= end <= max(1, len(text))
