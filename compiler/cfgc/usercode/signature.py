"""What a module's source says of a function: is it there, and what does it take? Nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_PLAIN = {"staticmethod", "classmethod"}
"""Decorators that leave the arguments as they are written."""


@dataclass(frozen=True)
class Parameter:
    """``keyword`` False for one that takes a position only, ``position`` False for one that takes a name only."""

    name: str
    annotation: ast.expr | None
    required: bool
    position: bool
    keyword: bool


@dataclass(frozen=True)
class Signature:
    """A function or class at ``line``; ``more`` are ``*args`` and ``**kwargs``."""

    name: str
    line: int
    parameters: tuple[Parameter, ...]
    more_positions: bool
    more_keywords: bool
    written: str


@dataclass(frozen=True)
class Absent:
    """The module has no such name, and defines ``others``."""

    others: tuple[str, ...]


@dataclass(frozen=True)
class NotCallable:
    """The name holds a plain value."""

    line: int
    value: str


Found: TypeAlias = "Signature | Absent | NotCallable | None"
"""None: its source does not say, so nothing can be judged."""

_Def: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def find_signature(text: str, attribute: str) -> Found:
    """What the source ``text`` says of ``attribute``, a name or ``Class.method``."""
    try:
        body: Sequence[ast.stmt] = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    *owners, name = attribute.split(".")
    for owner in owners:
        found = _binding(body, owner)
        if isinstance(found, Absent) or not isinstance(found, ast.ClassDef):
            return found if isinstance(found, Absent) else None
        body = found.body
    return _described(_binding(body, name), name, in_class=bool(owners))


def _binding(body: Sequence[ast.stmt], name: str) -> ast.stmt | Absent | None:
    """The last statement of ``body`` that binds ``name``; None where it may be bound in a way that is not followed."""
    found: ast.stmt | None = None
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found = statement if statement.name == name else found
            if statement.name == "__getattr__":
                return None
        elif name in _names(statement):
            found = statement
            if not isinstance(statement, ast.Assign | ast.AnnAssign):
                return None
        elif "*" in _names(statement):
            return None
    if found is not None:
        return found
    return Absent(tuple(s.name for s in body if isinstance(s, ast.FunctionDef | ast.ClassDef)))


def _names(statement: ast.stmt) -> set[str]:
    """Every name that ``statement`` binds in any way, ``*`` for an import of all."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
    return found


def _described(found: ast.stmt | Absent | None, name: str, in_class: bool) -> Found:
    if isinstance(found, Absent):
        return None if in_class else found  # a base class may have it
    if isinstance(found, ast.Assign | ast.AnnAssign) and isinstance(found.value, ast.Constant):
        return NotCallable(found.lineno, ast.unparse(found.value))
    if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
        decorators = {ast.unparse(one) for one in found.decorator_list}
        if decorators - _PLAIN:
            return None
        bound = in_class and "staticmethod" not in decorators
        if bound and "classmethod" not in decorators:
            return None  # an instance would be needed
        return _of_function(found, name, found.lineno, skip=int(bound))
    return _of_class(found) if isinstance(found, ast.ClassDef) else None


def _of_class(found: ast.ClassDef) -> Signature | None:
    if found.decorator_list or found.keywords:
        return None
    own = {one.name: one for one in found.body if isinstance(one, ast.FunctionDef)}
    if "__init__" not in own or "__new__" in own or own["__init__"].decorator_list:
        return None
    return _of_function(own["__init__"], found.name, found.lineno, skip=1)


def _of_function(found: _Def, name: str, line: int, skip: int) -> Signature:
    args = found.args
    ordered = [*args.posonlyargs, *args.args]
    optional = len(ordered) - len(args.defaults)
    parameters = [
        Parameter(arg.arg, arg.annotation, index < optional, position=True, keyword=index >= len(args.posonlyargs))
        for index, arg in enumerate(ordered)
    ][skip:]
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        parameters.append(Parameter(arg.arg, arg.annotation, default is None, position=False, keyword=True))
    written = f"{name}({', '.join(_written(args, skip))})"
    return Signature(name, line, tuple(parameters), args.vararg is not None, args.kwarg is not None, written)


def _written(args: ast.arguments, skip: int) -> Iterator[str]:
    whole = ast.unparse(args)
    yield whole.partition(", ")[2] if skip and ", " in whole else "" if skip else whole
