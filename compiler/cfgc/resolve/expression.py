"""The language inside ``${…}``: references, arithmetic, a few functions."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cfgc.origin import Value, kind_of
from cfgc.resolve.arithmetic import FUNCTIONS, OPERATORS, ArithmeticFailure, Number, fitting

MAX_LENGTH = 1_000
"""Characters of one expression."""
MAX_NESTING = 50
"""Operations inside one another."""

RefPath = tuple[str | int, ...]
"""A dotted key, and positions in arrays: ``data.sources[0].name``."""
Lookup = Callable[["Reference"], Value]


class ExpressionError(Exception):
    """What is wrong with an expression, and at which characters of it. ``kind`` names the diagnostic."""

    def __init__(self, kind: str, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.start = start
        self.end = end
        self.hint = hint


@dataclass(frozen=True)
class Reference:
    """A key that an expression names, and at which of its characters."""

    path: RefPath
    start: int
    end: int


@dataclass(frozen=True)
class Expression:
    """A parsed expression."""

    text: str
    root: ast.expr
    references: Mapping[ast.expr, Reference]


def parse_expression(text: str) -> Expression:
    """The expression ``text``. Raises ``ExpressionError``."""
    root = _parse(text)
    references: dict[ast.expr, Reference] = {}
    stack: list[tuple[ast.expr, int]] = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_NESTING:
            raise _error("syntax", f"more than {MAX_NESTING} operations inside one another", node, text)
        path = _reference_path(node)
        if path is not None:
            references[node] = Reference(path, *_extent(node, text))
        else:
            stack += [(child, depth + 1) for child in _operands(node, text)]
    in_order = sorted(references.items(), key=lambda item: item[1].start)
    return Expression(text, root, dict(in_order))


def evaluate(expression: Expression, lookup: Lookup) -> Value:
    """The value of ``expression``: a lone reference's own, of any type, else a number. Raises ``ExpressionError``."""
    if expression.root in expression.references:
        return lookup(expression.references[expression.root])
    return _number(expression, expression.root, lookup)


def _parse(text: str) -> ast.expr:
    if not text.strip():
        raise ExpressionError("syntax", "there is nothing between `${` and `}`", 0, len(text))
    if len(text) > MAX_LENGTH:
        raise ExpressionError("syntax", f"an expression has at most {MAX_LENGTH} characters", 0, len(text))
    odd = next((i for i, c in enumerate(text) if not " " <= c <= "~" and c not in "\n\r\t"), None)
    if odd is not None:
        raise ExpressionError("syntax", f"`{text[odd]!r}` has no meaning in an expression", odd, odd + 1)
    nested = _without_nested_holes(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(f"({nested})", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError("syntax", "this is not an expression", *_syntax_place(error, text)) from None


def _syntax_place(error: Exception, text: str) -> tuple[int, int]:
    """The character that Python stumbled over; all of ``text`` when that is not inside it."""
    offset = error.offset if isinstance(error, SyntaxError) and error.lineno == 1 and error.offset else 0
    start = offset - 2  # 1-based, and behind the parenthesis that parsing adds
    return (start, start + 1) if 0 <= start < len(text) else (0, len(text))


def _without_nested_holes(text: str) -> str:
    """``${a} * 2`` inside ``${…}`` is ``(a) * 2``, with every character at its place."""
    return text.replace("${", " (").replace("}", ")")


def _reference_path(node: ast.expr) -> RefPath | None:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        above = _reference_path(node.value)
        return None if above is None else (*above, node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        above = _reference_path(node.value)
        position = node.slice.value
        if above is not None and isinstance(position, str | int) and not isinstance(position, bool):
            return (*above, position)
    return None


def _operands(node: ast.expr, text: str) -> Iterator[ast.expr]:
    """The parts of an operation. Raises ``ExpressionError`` for anything that is not in the language."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield node.left
        yield node.right
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        yield node.operand
    elif isinstance(node, ast.Call):
        _check_call(node, text)
        yield from node.args
    elif not (isinstance(node, ast.Constant) and type(node.value) in {int, float}):
        raise _error("syntax", *_refusal(node), text)


def _refusal(node: ast.expr) -> tuple[str, ast.expr]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "an expression holds no texts; write the text around `${…}`", node
    return "only keys, numbers, + - * / // % ** and functions can stand in `${…}`", node


def _check_call(node: ast.Call, text: str) -> None:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        raise _error("function", f"there is no function `{ast.unparse(node.func)}`", node.func, text)
    least, most = FUNCTIONS[node.func.id].arguments
    plain = not node.keywords and not any(isinstance(a, ast.Starred) for a in node.args)
    if not plain or not least <= len(node.args) <= most:
        takes = f"{least}" if least == most else f"{least} or more" if most > 2 else f"{least} or {most}"
        plural = "" if most == 1 else "s"
        raise _error("function", f"`{node.func.id}` takes {takes} number{plural}, not {len(node.args)}", node, text)


def _number(expression: Expression, node: ast.expr, lookup: Lookup) -> Number:
    if node in expression.references:
        reference = expression.references[node]
        value = lookup(reference)
        if isinstance(value, bool) or not isinstance(value, int | float):
            name = expression.text[reference.start : reference.end]
            raise _error("type", f"`{name}` is {kind_of(value)}, not a number", node, expression.text)
        return value
    operands = [_number(expression, child, lookup) for child in _operands(node, expression.text)]
    try:
        return _compute(node, operands)
    except ArithmeticFailure as failure:
        raise _error(failure.kind, str(failure), node, expression.text) from None


def _compute(node: ast.expr, operands: list[Number]) -> Number:
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, int | float)
        return fitting(node.value)
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](*operands)
    if isinstance(node, ast.UnaryOp):
        return -operands[0] if isinstance(node.op, ast.USub) else operands[0]
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return FUNCTIONS[node.func.id].compute(operands)


def _extent(node: ast.expr, text: str) -> tuple[int, int]:
    """The characters of ``node``; one is subtracted for the parenthesis that parsing adds."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = starts[node.lineno - 1] + node.col_offset - (node.lineno == 1)
    end = starts[node.end_lineno - 1] + node.end_col_offset - (node.end_lineno == 1)
    return max(0, start), min(len(text), end)


def _error(kind: str, message: str, node: ast.expr, text: str) -> ExpressionError:
    return ExpressionError(kind, message, *_extent(node, text))
