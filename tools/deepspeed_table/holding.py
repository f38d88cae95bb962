"""Putting values under names, attributes and keys, and getting them out again, of the config too."""

from __future__ import annotations

import libcst as cst

from .naming import Frame, Names
from .values import (
    UNKNOWN,
    AnyKey,
    Atom,
    Const,
    Instance,
    Mapping,
    Node,
    Path,
    Sequence,
    Value,
    either,
    item_of,
    known,
    literal,
    tables_of,
    touches,
)


class Holding(Names):
    """What assignments and lookups do."""

    def _items(self, value: Value) -> list[Value]:
        found: list[Value] = []
        for atom in value:
            if isinstance(atom, Sequence):
                found += atom.items
            elif isinstance(atom, Mapping):
                found += [(Const(key),) for key in atom.items]
            found += [(AnyKey(path),) for path in tables_of(atom)]
        return found or [UNKNOWN]

    def _assign(self, target: cst.BaseExpression, value: Value, frame: Frame) -> None:
        if isinstance(target, cst.Name):
            frame.names[target.value] = value
        elif isinstance(target, cst.Tuple | cst.List):
            for index, element in enumerate(target.elements):
                self._assign(element.value, either(*(item_of(atom, index) for atom in value)) or UNKNOWN, frame)
        elif isinstance(target, cst.Attribute):
            for atom in self.evaluate(target.value, frame):
                if isinstance(atom, Instance):
                    held = atom.attributes.get(target.attr.value, ())
                    atom.attributes[target.attr.value] = either(held, value) if touches(held) else value
        elif isinstance(target, cst.Subscript):
            key = self._index(target, frame)
            for atom in self.evaluate(target.value, frame):
                self._put(atom, key, value)

    def _put(self, atom: Atom, key: Value, value: Value) -> None:
        if not isinstance(atom, Mapping):
            return
        if known(key) and not isinstance(literal(key), list | dict):
            name = literal(key)
            held = atom.items.get(name, ())
            if (id(atom), name) in self._lacking:
                held = either(held, *(((Node((*path, name)),)) for path in atom.over))
            atom.items[name] = either(held, value) if touches(held) else value
        for one in key:
            if isinstance(one, AnyKey):
                self._copy_over(atom, one.path)

    def _copy_over(self, atom: Mapping, path: Path) -> None:
        """The program's dict takes every key of the config's table: those that it has already have defaults."""
        if path not in atom.over:
            atom.over.append(path)
            for key, held in atom.items.items():
                looked_at = self.readings.at((*path, key)).looked_at
                self.readings.ask((*path, key), held)
                self.readings.at((*path, key)).looked_at = looked_at
                atom.items[key] = either((Node((*path, key)),), held)

    def _spread(self, made: Mapping, value: Value) -> None:
        for atom in value:
            if isinstance(atom, Mapping):
                made.items.update(atom.items)
                made.over += atom.over
            elif isinstance(atom, Node):
                self._copy_over(made, atom.path)

    def _index(self, node: cst.Subscript, frame: Frame) -> Value:
        part = node.slice[0].slice
        return self.evaluate(part.value, frame) if isinstance(part, cst.Index) else UNKNOWN

    def read(self, atom: Atom, key: Value, default: Value = ()) -> Value:
        """``atom[key]``, or ``atom.get(key, default)``."""
        if not known(key) or isinstance(literal(key), list | dict):
            return self._read_any(atom, key)
        name = literal(key)
        if isinstance(atom, Mapping) and name in atom.items and () not in atom.over:
            for one in atom.items[name]:
                if isinstance(one, Node):
                    self.readings.at(one.path).looked_at = True
            return atom.items[name]
        found = [(Node((*path, name)),) for path in tables_of(atom) if isinstance(name, str)]
        for path in tables_of(atom):
            self.readings.ask((*path, name), default)
        if isinstance(atom, Mapping):  # what the program puts into the whole config is for want of the user's own
            default = either(default, atom.items.get(name, ()))
        if isinstance(atom, Sequence) and isinstance(name, int):
            return item_of(atom, name)
        return either(*found, default) or UNKNOWN

    def _read_any(self, atom: Atom, key: Value) -> Value:
        if isinstance(atom, Mapping) and atom.items and not touches((atom,)):
            return either(*atom.items.values())
        for one in key:
            if isinstance(atom, Node) and isinstance(one, AnyKey):
                return (AnyKey(one.path, value=True),)
        return UNKNOWN
