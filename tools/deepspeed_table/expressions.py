"""What expressions may be worth, and the keys of the config that they ask for."""

from __future__ import annotations

import libcst as cst

from .holding import Holding
from .modules import dotted
from .naming import Frame
from .operations import OPERATIONS, compared
from .values import (
    UNKNOWN,
    AnyKey,
    Atom,
    Bound,
    Class,
    Const,
    Function,
    Instance,
    Mapping,
    Member,
    Method,
    Module,
    Node,
    Sequence,
    Value,
    either,
    known,
    literal,
    plain,
    tables_of,
)


class Expressions(Holding):
    """Expressions but for calls."""

    def evaluate(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """What an expression may be worth."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            for child in node.children:
                if isinstance(child, cst.BaseExpression):
                    self.evaluate(child, frame)
            return UNKNOWN
        result: Value = method(node, frame)
        return result

    def _integer(self, node: cst.Integer, _: Frame) -> Value:
        return (Const(node.evaluated_value),)

    _float = _simplestring = _integer

    def _concatenatedstring(self, node: cst.ConcatenatedString, _: Frame) -> Value:
        value = node.evaluated_value
        return UNKNOWN if value is None else (Const(value),)

    def _name(self, node: cst.Name, frame: Frame) -> Value:
        if node.value in {"True", "False", "None"}:
            return (Const({"True": True, "False": False, "None": None}[node.value]),)
        if node.value in frame.names:
            return frame.names[node.value]
        return self.name_of(frame.module, node.value)

    def _list(self, node: cst.List | cst.Tuple | cst.Set, frame: Frame) -> Value:
        items: list[Value] = []
        for element in node.elements:
            value = self.evaluate(element.value, frame)
            items += self._items(value) if isinstance(element, cst.StarredElement) else [value]
        return (Sequence(tuple(items)),)

    _tuple = _set = _list

    def _dict(self, node: cst.Dict, frame: Frame) -> Value:
        made = Mapping()
        for element in node.elements:
            value = self.evaluate(element.value, frame)
            if isinstance(element, cst.DictElement):
                self._put(made, self.evaluate(element.key, frame), value)
            else:
                self._spread(made, value)
        return (made,)

    def _dictcomp(self, node: cst.DictComp, frame: Frame) -> Value:
        made = Mapping()
        inner = Frame(frame.module, dict(frame.names), frame.function)
        for item in self._items(self.evaluate(node.for_in.iter, frame)):
            self._assign(node.for_in.target, item, inner)
            for condition in node.for_in.ifs:
                self.evaluate(condition.test, inner)
            self._put(made, self.evaluate(node.key, inner), self.evaluate(node.value, inner))
        return (made,)

    def _listcomp(self, node: cst.ListComp | cst.GeneratorExp | cst.SetComp, frame: Frame) -> Value:
        inner = Frame(frame.module, dict(frame.names), frame.function)
        found = []
        for item in self._items(self.evaluate(node.for_in.iter, frame)):
            self._assign(node.for_in.target, item, inner)
            for condition in node.for_in.ifs:
                self.evaluate(condition.test, inner)
            found.append(self.evaluate(node.elt, inner))
        return (Sequence(tuple(found)),)

    _generatorexp = _setcomp = _listcomp

    def _ifexp(self, node: cst.IfExp, frame: Frame) -> Value:
        test = self.evaluate(node.test, frame)
        if known(test):
            return self.evaluate(node.body if literal(test) else node.orelse, frame)
        return either(self.evaluate(node.body, frame), self.evaluate(node.orelse, frame))

    def _booleanoperation(self, node: cst.BooleanOperation, frame: Frame) -> Value:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        if known(left):
            return left if bool(literal(left)) is isinstance(node.operator, cst.Or) else right
        return either(left, right) if isinstance(node.operator, cst.Or) else UNKNOWN

    def _lambda(self, node: cst.Lambda, frame: Frame) -> Value:
        return (Function(frame.module, node),)

    def _unaryoperation(self, node: cst.UnaryOperation, frame: Frame) -> Value:
        value = self.evaluate(node.expression, frame)
        if not known(value):
            return UNKNOWN
        if isinstance(node.operator, cst.Not):
            return (Const(not literal(value)),)
        return (Const(-literal(value)),) if isinstance(node.operator, cst.Minus) else UNKNOWN

    def _binaryoperation(self, node: cst.BinaryOperation, frame: Frame) -> Value:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        work = OPERATIONS.get(type(node.operator))
        if work is None or not (known(left) and known(right)):
            return UNKNOWN
        try:
            return plain(work(literal(left), literal(right)))
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            return UNKNOWN

    def _comparison(self, node: cst.Comparison, frame: Frame) -> Value:
        left = self.evaluate(node.left, frame)
        result = UNKNOWN
        for part in node.comparisons:
            right = self.evaluate(part.comparator, frame)
            if isinstance(part.operator, cst.In | cst.NotIn) and known(left):
                for atom in right:
                    for path in tables_of(atom):
                        self.readings.ask((*path, literal(left)))
            self._compare_text(left, right)
            result = compared(part.operator, left, right) if len(node.comparisons) == 1 else UNKNOWN
        return result

    def _compare_text(self, left: Value, right: Value) -> None:
        if known(right) and isinstance(text := literal(right), str):
            for atom in left:
                if isinstance(atom, Node) and text not in self.readings.at(atom.path).compared:
                    self.readings.at(atom.path).compared.append(text)

    def _subscript(self, node: cst.Subscript, frame: Frame) -> Value:
        key = self._index(node, frame)
        found = [self.read(atom, key) for atom in self.evaluate(node.value, frame)]
        return either(*found) or UNKNOWN

    def _attribute(self, node: cst.Attribute, frame: Frame) -> Value:
        found = [self._attribute_of(atom, node.attr.value) for atom in self.evaluate(node.value, frame)]
        return either(*found) or UNKNOWN

    def _attribute_of(self, atom: Atom, name: str) -> Value:
        if isinstance(atom, Module):
            inner = f"{atom.name}.{name}"
            return (Module(inner),) if self.sources.has(inner) else self.name_of(atom.name, name)
        if isinstance(atom, Instance):
            held = atom.attributes.get(name)
            return self._class_attribute(atom.owner, name, (atom,)) if held is None else held
        if isinstance(atom, Class):
            return self._class_attribute(atom, name, ())
        if isinstance(atom, Bound) and name.startswith("get"):
            return self._class_attribute(atom.owner, name, (atom,))
        return (Method(atom, name),) if isinstance(atom, Node | Mapping | Const | AnyKey | Sequence) else UNKNOWN

    def _class_attribute(self, owner: Class, name: str, instance: Value) -> Value:
        if self.is_enum(owner):
            return (Member(owner, name),)
        found = self.member(owner, name)
        if isinstance(found, cst.FunctionDef):
            plain = any(dotted(d.decorator) == "staticmethod" for d in found.decorators)
            return (Function(owner.module, found, () if plain else instance or (owner,), owner.name),)
        return self.evaluate(found, Frame(owner.module, {})) if isinstance(found, cst.BaseExpression) else UNKNOWN
