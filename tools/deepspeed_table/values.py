"""What an expression of DeepSpeed's source may be worth: literals, parts of the config, objects, or unknown.

A ``Value`` is a tuple of alternatives, one for each way the program could have gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import libcst as cst

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Const:
    """A literal: None, bool, int, float or str."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Const) and type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True)
class Node:
    """The part of the config at ``path``, whatever was written there."""

    path: Path


@dataclass(frozen=True)
class AnyKey:
    """Each key of the config's table ``path`` in turn; ``value`` when it is the entry."""

    path: Path
    value: bool = False


@dataclass(frozen=True)
class Sequence:
    """A list, tuple or set."""

    items: tuple[Value, ...]


@dataclass(eq=False)
class Mapping:
    """A dict of the program's own; ``over`` are the parts of the config that were copied over it."""

    items: dict[Any, Value] = field(default_factory=dict)
    over: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Function:
    """A function of a module, bound to ``instance`` when it is a method."""

    module: str
    node: cst.FunctionDef | cst.Lambda
    instance: Value = ()
    owner: str = ""


@dataclass(frozen=True)
class Class:
    """A class of one of DeepSpeed's modules."""

    module: str
    name: str


@dataclass(frozen=True)
class Member:
    """A member of an enumeration."""

    owner: Class
    name: str


@dataclass(eq=False)
class Instance:
    """An object with what was assigned to its attributes."""

    owner: Class
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """A pydantic model filled from the config's table ``path``."""

    owner: Class
    path: Path


@dataclass(frozen=True)
class Module:
    """A module, of DeepSpeed (``name`` is its dotted path) or not."""

    name: str


@dataclass(frozen=True)
class Method:
    """A built-in method of ``target``: ``get`` of a dict, ``lower`` of a string."""

    target: Atom
    name: str


@dataclass(frozen=True)
class Unknown:
    """What reading alone cannot tell."""


Atom: TypeAlias = (
    Const
    | Node
    | AnyKey
    | Sequence
    | Mapping
    | Function
    | Class
    | Member
    | Instance
    | Bound
    | Module
    | Method
    | Unknown
)
Value: TypeAlias = tuple[Atom, ...]

UNKNOWN: Value = (Unknown(),)
NONE: Value = (Const(None),)


def either(*values: Value) -> Value:
    """All alternatives of ``values``, each once."""
    return tuple(dict.fromkeys(atom for value in values for atom in value))


def literal(value: Value) -> Any:
    """The Python value of ``value``; ValueError when it has none or more than one."""
    if len(value) != 1:
        raise ValueError(value)
    atom = value[0]
    if isinstance(atom, Const):
        return atom.value
    if isinstance(atom, Sequence):
        return [literal(item) for item in atom.items]
    if isinstance(atom, Mapping) and not atom.over:
        return {key: literal(item) for key, item in atom.items.items()}
    raise ValueError(value)


def plain(value: Any) -> Value:
    """A Python value as what an expression is worth."""
    if isinstance(value, list | tuple):
        return (Sequence(tuple(plain(item) for item in value)),)
    return (Const(value),) if value is None or isinstance(value, bool | int | float | str) else UNKNOWN


def known(value: Value) -> bool:
    """Whether ``value`` is one literal."""
    try:
        literal(value)
    except ValueError:
        return False
    return True


def touches(value: Value, depth: int = 4) -> bool:
    """Whether the config, or an object that may hold a part of it, is among ``value``."""
    return depth > 0 and any(_atom_touches(atom, depth) for atom in value)


def _atom_touches(atom: Atom, depth: int) -> bool:
    if isinstance(atom, Node | AnyKey | Bound | Instance):
        return True
    if isinstance(atom, Mapping):
        return bool(atom.over) or any(touches(item, depth - 1) for item in atom.items.values())
    return isinstance(atom, Sequence) and any(touches(item, depth - 1) for item in atom.items)


def tables_of(atom: Atom) -> list[Path]:
    """The tables of the config that a lookup in ``atom`` looks into."""
    if isinstance(atom, Node):
        return [atom.path]
    return list(atom.over) if isinstance(atom, Mapping) else []


def item_of(atom: Atom, index: int) -> Value:
    """``atom[index]`` of a sequence."""
    if isinstance(atom, Sequence) and -len(atom.items) <= index < len(atom.items):
        return atom.items[index]
    return UNKNOWN
