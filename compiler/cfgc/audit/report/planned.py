"""What a bundle's config.py holds, read from its syntax: nobody's code runs for a report."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any, Final, TypeVar

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc_runtime.point import Point, apply_config

_CONFIG: Final = PurePosixPath("config.py")
_UNREADABLE: Final = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)
_FORGED: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

T = TypeVar("T")


def planned(bundle: BundleOnDisk, point: Point | None = None) -> ModuleType | None:
    """The constants of config.py, as ``point`` of a sweep has them; None where it is not as cfgc writes it."""
    constants = _constants(bundle.files.get(_CONFIG, b""))
    if constants is None:
        return None
    module = ModuleType("planned")
    vars(module).update(constants)
    if own := point or bundle.point:
        guarded(lambda: apply_config(module, own))
    return module


@lru_cache(maxsize=1)
def _constants(source: bytes) -> Mapping[str, Any] | None:
    """Read once for all points of a sweep, which change none of these objects."""
    try:
        return {
            node.target.id: _data(node.value)
            for node in ast.parse(source).body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
        }
    except _UNREADABLE:
        return None


def guarded(make: Callable[[], T]) -> T | None:
    """What ``make`` gives; None where config.py lacks what it asks for, since anybody may have written that."""
    try:
        return make()
    except _FORGED:
        return None


def _data(node: ast.expr) -> Any:
    """A literal; ``Schedule(max_steps=10)`` as an object with this attribute, of no class that does anything."""
    if isinstance(node, ast.Call):
        return _Values(**{word.arg: _data(word.value) for word in node.keywords if word.arg})
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(map(_data, node.elts))
    return ast.literal_eval(node)


class _Values:
    """Values by name."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)
