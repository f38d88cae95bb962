"""Following DeepSpeed's source by hand: a small interpreter that runs both ways of every choice that it cannot make.

It follows only what touches the config, and writes down each key that is asked for, with its default.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import Any

import libcst as cst

from .calls import Calls
from .modules import imports
from .naming import Frame
from .values import (
    NONE,
    UNKNOWN,
    Function,
    Node,
    Value,
    either,
    known,
    literal,
)


class Follower(Calls):
    """Follows the source of one release and fills ``readings``. A block answers whether it goes on after its end."""

    def block(self, body: Items[cst.CSTNode], frame: Frame) -> bool:
        """Follow statements; False when none of them is the last because all return or raise."""
        return all(self.statement(statement, frame) for statement in body)

    def statement(self, node: cst.CSTNode, frame: Frame) -> bool:
        """Follow one statement."""
        if isinstance(node, cst.SimpleStatementLine):
            return all(self._small(small, frame) for small in node.body)
        if isinstance(node, cst.If):
            return self._if(node, frame)
        if isinstance(node, cst.For | cst.While):
            self._loop(node, frame)
        elif isinstance(node, cst.Try):
            return self._try(node, frame)
        elif isinstance(node, cst.With):
            return self.block(node.body.body, frame)
        elif isinstance(node, cst.FunctionDef):
            frame.names[node.name.value] = (Function(frame.module, node),)
        return True

    def _small(self, node: cst.BaseSmallStatement, frame: Frame) -> bool:
        if isinstance(node, cst.Return):
            frame.returned.append(self.evaluate(node.value, frame) if node.value else NONE)
            return False
        if isinstance(node, cst.Raise | cst.Continue | cst.Break):
            return False
        if isinstance(node, cst.Assign):
            value = self.evaluate(node.value, frame)
            for target in node.targets:
                self._assign(target.target, value, frame)
        elif isinstance(node, cst.AnnAssign):
            if node.value is not None:
                self._assign(node.target, self.evaluate(node.value, frame), frame)
        elif isinstance(node, cst.AugAssign):
            self.evaluate(node.value, frame)
            self._assign(node.target, UNKNOWN, frame)
        elif isinstance(node, cst.Expr):
            self.evaluate(node.value, frame)
        elif isinstance(node, cst.Assert):
            self.evaluate(node.test, frame)
            self._allow(node.test, cst.In, frame)
        elif isinstance(node, cst.ImportFrom | cst.Import):
            for name, found in imports(node, self.sources.package(frame.module)):
                frame.names[name] = self._follow_import(found)
        return True

    def _if(self, node: cst.If, frame: Frame) -> bool:
        test = self.evaluate(node.test, frame)
        if known(test):
            if literal(test):
                return self.block(node.body.body, frame)
            return self._else(node.orelse, frame)
        if _only_raises(node.body):
            self._refuse(node.test, frame)
            self._allow(node.test, cst.NotIn, frame)
        elif isinstance(node.orelse, cst.Else) and _only_raises(node.orelse.body):
            self._allow(node.test, cst.In, frame)
        before = dict(frame.names)
        lacking, self._lacking = self._lacking, self._lacking | self._lacked(node.test, frame)
        one = self.block(node.body.body, frame)
        self._lacking = lacking
        after, frame.names = frame.names, before
        other = self._else(node.orelse, frame)
        if one:
            frame.names = _merged(after, frame.names) if other else after
        return one or other

    def _else(self, node: cst.If | cst.Else | None, frame: Frame) -> bool:
        if node is None:
            return True
        return self._if(node, frame) if isinstance(node, cst.If) else self.block(node.body.body, frame)

    def _lacked(self, test: cst.BaseExpression, frame: Frame) -> frozenset[tuple[int, Any]]:
        """``key not in table``: what is put there under this choice is only for want of the config's own."""
        if not (isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, cst.NotIn)):
            return frozenset()
        key, tables = self.evaluate(test.left, frame), self.evaluate(test.comparisons[0].comparator, frame)
        return frozenset((id(atom), literal(key)) for atom in tables if known(key))

    def _refuse(self, test: cst.BaseExpression, frame: Frame) -> None:
        """A choice that only raises: the key that it asks the presence of is refused."""
        if isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, cst.In):
            key, table = self.evaluate(test.left, frame), self.evaluate(test.comparisons[0].comparator, frame)
            for atom in table:
                if isinstance(atom, Node) and known(key):
                    self.readings.at((*atom.path, literal(key))).refused = True

    def _allow(self, test: cst.BaseExpression, operator: type[cst.BaseCompOp], frame: Frame) -> None:
        """A choice that raises beside a list: the values that the key may have."""
        if not (isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, operator)):
            return
        allowed = self.evaluate(test.comparisons[0].comparator, frame)
        for atom in self.evaluate(test.left, frame):
            if isinstance(atom, Node) and known(allowed) and isinstance(literal(allowed), list):
                seen = self.readings.at(atom.path)
                seen.allowed = seen.allowed or literal(allowed)

    def _loop(self, node: cst.For | cst.While, frame: Frame) -> None:
        if isinstance(node, cst.While):
            self.evaluate(node.test, frame)
            self.block(node.body.body, frame)
            return
        for item in self._items(self.evaluate(node.iter, frame)):
            self._assign(node.target, item, frame)
            self.block(node.body.body, frame)

    def _try(self, node: cst.Try, frame: Frame) -> bool:
        before = dict(frame.names)
        going = self.block(node.body.body, frame)
        for handler in node.handlers:
            after, frame.names = frame.names, dict(before)
            going = self.block(handler.body.body, frame) or going
            frame.names = _merged(after, frame.names)
        if node.orelse is not None and going:
            going = self.block(node.orelse.body.body, frame)
        if node.finalbody is not None:
            self.block(node.finalbody.body.body, frame)
        return going


def _merged(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    return {name: either(one.get(name, ()), other.get(name, ())) for name in {*one, *other}}


def _only_raises(body: cst.BaseSuite) -> bool:
    last = body.body[-1] if body.body else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Raise)
