"""Does a literal fit an annotation? Only what is certain counts."""

from __future__ import annotations

import ast

_ANYTHING = {"Any", "object"}
_ARRAYS = {"list", "List", "Sequence", "Iterable", "Collection", "MutableSequence"}
_TABLES = {"dict", "Dict", "Mapping", "MutableMapping"}
_SCALARS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
_WITHOUT_LITERAL = {"tuple", "Tuple", "set", "Set", "frozenset", "bytes", "Path", "None", "NoneType"}
"""What no value of TOML is."""


def fits(value: object, annotation: ast.expr | None) -> bool | None:
    """Whether ``value``, a literal that TOML can say, is what ``annotation`` asks for; None where that is not plain."""
    match annotation:
        case ast.Constant(value=None):
            return False
        case ast.Constant(value=str(text)):
            return _forward(value, text)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _any_of(fits(value, left), fits(value, right))
        case ast.Name() | ast.Attribute():
            return _plain(value, _name(annotation))
        case ast.Subscript(value=outer, slice=inner):
            return _generic(value, _name(outer), inner)
        case _:
            return None


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _forward(value: object, text: str) -> bool | None:
    try:
        return fits(value, ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def _any_of(*found: bool | None) -> bool | None:
    return True if True in found else None if None in found else False


def _plain(value: object, name: str) -> bool | None:
    if name in _ANYTHING:
        return True
    if name in _SCALARS:
        return isinstance(value, _SCALARS[name]) and (name == "bool" or not isinstance(value, bool))
    if name in _ARRAYS:
        return isinstance(value, list) or (isinstance(value, str) and name in {"Sequence", "Iterable", "Collection"})
    if name in _TABLES:
        return isinstance(value, dict)
    return False if name in _WITHOUT_LITERAL else None


def _generic(value: object, name: str, inner: ast.expr) -> bool | None:
    parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
    if name == "Optional":
        return fits(value, inner)
    if name == "Union":
        return _any_of(*(fits(value, part) for part in parts))
    if name == "Literal":
        allowed = [part.value for part in parts if isinstance(part, ast.Constant)]
        return any(type(one) is type(value) and one == value for one in allowed) if len(allowed) == len(parts) else None
    if name in _ARRAYS and isinstance(value, list) and len(parts) == 1:
        return _all_of([fits(item, parts[0]) for item in value])
    if name in _TABLES and isinstance(value, dict) and len(parts) == 2:
        return _all_of([fits(item, parts[1]) for item in value.values()])
    return _plain(value, name)


def _all_of(found: list[bool | None]) -> bool | None:
    return False if False in found else None if None in found else True
