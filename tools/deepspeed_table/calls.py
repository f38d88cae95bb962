"""Calls: what is followed into, what is known of, and what a model or class is made of."""

from __future__ import annotations

from collections.abc import Sequence as Items

import libcst as cst

from .expressions import Expressions
from .modules import dotted
from .naming import Frame
from .values import (
    NONE,
    UNKNOWN,
    AnyKey,
    Atom,
    Bound,
    Class,
    Const,
    Function,
    Instance,
    Mapping,
    Method,
    Module,
    Node,
    Sequence,
    Value,
    either,
    literal,
    tables_of,
    touches,
)

DEPTH = 24
CONVERSIONS = frozenset({"copy.copy", "copy.deepcopy", "dict", "int", "float", "str", "bool", "list", "tuple"})


class Calls(Expressions):
    """Calls of functions, methods and classes."""

    def _call(self, node: cst.Call, frame: Frame) -> Value:
        if isinstance(node.func, cst.Name) and node.func.value == "super":
            return self._super(frame)
        target = self.evaluate(node.func, frame)
        positional, named, spread = self._arguments(node.args, frame)
        if dotted(node.func) in CONVERSIONS:
            return self._builtin(dotted(node.func), positional)
        return either(*(self.call(atom, positional, named, spread) for atom in target)) or UNKNOWN

    def _arguments(self, args: Items[cst.Arg], frame: Frame) -> tuple[list[Value], dict[str, Value], Value]:
        positional: list[Value] = []
        named: dict[str, Value] = {}
        spread: list[Value] = []
        for arg in args:
            value = self.evaluate(arg.value, frame)
            if arg.star == "**":
                spread.append(value)
            elif arg.keyword is not None:
                named[arg.keyword.value] = value
            else:
                positional.append(value)
        return positional, named, either(*spread)

    def _super(self, frame: Frame) -> Value:
        function = frame.function
        if function is None or not function.instance or not function.owner:
            return UNKNOWN
        return (Method(function.instance[0], f"super:{function.owner}"),)

    def _builtin(self, name: str, args: list[Value]) -> Value:
        """A conversion keeps what is known of its argument; ``copy`` and ``dict`` make a dict of the program's own."""
        if not args:
            return (Mapping(),) if name == "dict" else UNKNOWN
        if name in {"copy.copy", "copy.deepcopy", "dict"}:
            made = Mapping()
            for atom in args[0]:
                if isinstance(atom, Node | Mapping):
                    self._spread(made, (atom,))
            return (made,)
        return args[0]

    def call(self, atom: Atom, positional: list[Value], named: dict[str, Value], spread: Value) -> Value:
        """What calling ``atom`` may give."""
        if isinstance(atom, Method):
            return self._call_method(atom, positional, named)
        if isinstance(atom, Class | Module) and spread:
            self.constructed.append((atom, spread, frozenset(named)))
        if isinstance(atom, Class):
            self.made.append(atom)
            return self._make(atom, positional, named, spread)
        if isinstance(atom, Function):
            given = [*positional, *named.values(), spread, atom.instance]
            if isinstance(atom.node, cst.Lambda) or any(touches(value) for value in given):
                return self.run(atom, positional, named)
        return UNKNOWN

    def _call_method(self, method: Method, args: list[Value], named: dict[str, Value]) -> Value:
        atom, name = method.target, method.name
        if name.startswith("super:") and isinstance(atom, Instance):
            return UNKNOWN
        if name in {"get", "pop", "setdefault"} and args:
            default = args[1] if len(args) > 1 else named.get("default", NONE if name != "pop" else ())
            return self.read(atom, args[0], default)
        if name in {"keys", "copy"}:
            return (atom,) if name == "keys" else self._builtin("dict", [(atom,)])
        if name == "items":
            return self._pairs(atom)
        if name == "update" and isinstance(atom, Mapping) and args:
            self._spread(atom, args[0])
        if name in {"lower", "upper", "strip"} and isinstance(atom, Const) and isinstance(atom.value, str):
            return (Const(getattr(atom.value, name)()),)
        if name in {"lower", "upper"} and isinstance(atom, Node):
            self.readings.at(atom.path).folded = True
        return (atom,) if name in {"lower", "upper", "strip"} else UNKNOWN

    def _pairs(self, atom: Atom) -> Value:
        pairs: list[Value] = [(Sequence(((AnyKey(path),), (AnyKey(path, value=True),))),) for path in tables_of(atom)]
        if isinstance(atom, Mapping):
            pairs += [(Sequence(((Const(key),), value)),) for key, value in atom.items.items()]
        return (Sequence(tuple(pairs)),) if pairs or isinstance(atom, Mapping) else UNKNOWN

    def _make(self, owner: Class, positional: list[Value], named: dict[str, Value], spread: Value) -> Value:
        if owner.name == "pp_int":
            return tuple(Const(int(literal((atom,)))) for atom in positional[0])
        if self.is_model(owner):
            return self._fill(owner, named, spread)
        if self.is_enum(owner):
            return UNKNOWN
        made = Instance(owner)
        begin = self.member(owner, "__init__")
        if isinstance(begin, cst.FunctionDef) and any(touches(v) for v in [*positional, *named.values()]):
            self.run(Function(owner.module, begin, (made,), owner.name), positional, named)
        return (made,)

    def _fill(self, owner: Class, named: dict[str, Value], spread: Value) -> Value:
        """A model made of keyword arguments: of the config's table, or of a dict that holds parts of the config."""
        bound: list[Atom] = []
        for atom in spread:
            if isinstance(atom, Node):
                self.readings.ask(atom.path)
                self.readings.at(atom.path).model = owner
                bound.append(Bound(owner, atom.path))
            elif isinstance(atom, Mapping):
                named = {**named, **{k: v for k, v in atom.items.items() if isinstance(k, str)}}
        for name, value in named.items():
            self.fill_field(owner, name, value)
        return tuple(bound) or (Instance(owner, dict(named)),)

    def fill_field(self, owner: Class, name: str, value: Value) -> None:
        """A field is given a part of the config: its own model reads it. Set by the reader of models."""

    def run(self, function: Function, positional: list[Value], named: dict[str, Value]) -> Value:
        """Follow a function with these arguments."""
        node = function.node
        mark = (id(node), either(*positional, function.instance))
        call = (id(node), function.instance, tuple(positional), tuple(named.items()))
        if self.remember and call in self._known:
            return self._known[call]
        if len(self._stack) >= DEPTH or mark in self._stack:
            return UNKNOWN
        frame = Frame(function.module, self._bind(function, positional, named), function)
        if isinstance(node, cst.Lambda):
            return self.evaluate(node.body, frame)
        self._stack.append(mark)
        goes_on = self.block(node.body.body, frame)
        self._stack.pop()
        result = either(*frame.returned, NONE if goes_on else ())
        self._known[call] = result
        return result

    def _bind(self, function: Function, positional: list[Value], named: dict[str, Value]) -> dict[str, Value]:
        params = function.node.params
        given = [function.instance, *positional] if function.instance else list(positional)
        bound: dict[str, Value] = {}
        for index, param in enumerate([*params.params, *params.kwonly_params]):
            name = param.name.value
            if index < len(given) and index < len(params.params):
                bound[name] = given[index]
            elif name in named:
                bound[name] = named[name]
            elif param.default is not None:
                bound[name] = self.evaluate(param.default, Frame(function.module, {}))
            else:
                bound[name] = UNKNOWN
        return bound
