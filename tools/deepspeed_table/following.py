"""Following DeepSpeed's source by hand: a small interpreter that runs both ways of every choice that it cannot make.

It follows only what touches the config, and writes down each key that is asked for, with its default.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import Any

import libcst as cst

from .modules import Assigned, Definition, Import, Sources, dotted, imports
from .readings import Readings
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
    Member,
    Method,
    Module,
    Node,
    Path,
    Sequence,
    Unknown,
    Value,
    either,
    known,
    literal,
    plain,
    touches,
)

MODEL_BASES = frozenset({"BaseModel", "DeepSpeedConfigModel"})
EXTERNAL = {"sys.maxsize": 2**63 - 1}
DEPTH = 24


class Frame:
    """The names of one function while it is followed, and what it has returned so far."""

    def __init__(self, module: str, names: dict[str, Value], function: Function | None = None) -> None:
        self.module, self.names, self.function = module, names, function
        self.returned: list[Value] = []


class Follower:
    """Follows the source of one release and fills ``readings``."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.readings = Readings()
        self.constructed: list[tuple[Class | Module, Value, frozenset[str]]] = []
        self._globals: dict[tuple[str, str], Value] = {}
        self._stack: list[tuple[int, Value]] = []
        self.remember = False
        self._lacking: frozenset[tuple[int, Any]] = frozenset()
        self._known: dict[object, Value] = {}

    # Names

    def name_of(self, module: str, name: str) -> Value:
        """What ``name`` means at the top of ``module``."""
        key = (module, name)
        if key not in self._globals:
            self._globals[key] = UNKNOWN
            self._globals[key] = self._find(module, name)
        return self._globals[key]

    def _find(self, module: str, name: str) -> Value:
        if not self.sources.has(module):
            return self._external(f"{module}.{name}")
        parsed = self.sources.parsed(module)
        if name in parsed.names:
            return self._defined(module, name, parsed.names[name][-1])
        for star in reversed(parsed.stars):
            if (found := self.name_of(star, name)) != UNKNOWN:
                return found
        return (Module(f"{module}.{name}"),) if self.sources.has(f"{module}.{name}") else UNKNOWN

    def _defined(self, module: str, name: str, found: Definition) -> Value:
        if isinstance(found, cst.ClassDef):
            return (Class(module, name),)
        if isinstance(found, cst.FunctionDef):
            return (Function(module, found),)
        if isinstance(found, Import):
            return self._follow_import(found)
        value = self.evaluate(found.value, Frame(module, {}))
        if found.unpacked is None:
            return value
        return either(*(_item(atom, found.unpacked) for atom in value))

    def _follow_import(self, found: Import) -> Value:
        if not found.name:
            return (Module(found.module),)
        return self.name_of(found.module, found.name)

    def _external(self, name: str) -> Value:
        return (Const(EXTERNAL[name]),) if name in EXTERNAL else (Module(name),)

    # Classes

    def class_node(self, owner: Class) -> cst.ClassDef:
        """The source of a class."""
        found = [d for d in self.sources.parsed(owner.module).names[owner.name] if isinstance(d, cst.ClassDef)]
        return found[-1]

    def bases(self, owner: Class) -> tuple[Class, ...]:
        """The bases of a class that the release defines itself."""
        found = []
        for base in self.class_node(owner).bases:
            found += [atom for atom in self.evaluate(base.value, Frame(owner.module, {})) if isinstance(atom, Class)]
        return tuple(found)

    def base_names(self, owner: Class) -> frozenset[str]:
        """The names of all bases, at any distance, defined here or not."""
        own = {dotted(base.value).rpartition(".")[2] for base in self.class_node(owner).bases}
        return frozenset(own.union(*(self.base_names(base) for base in self.bases(owner))))

    def is_model(self, owner: Class) -> bool:
        """Whether a class is a pydantic model."""
        return bool(self.base_names(owner) & MODEL_BASES)

    def is_enum(self, owner: Class) -> bool:
        """Whether a class is an enumeration."""
        return bool(self.base_names(owner) & {"Enum", "IntEnum", "StrEnum"})

    def member(self, owner: Class, name: str) -> cst.CSTNode | None:
        """The definition of ``name`` in the body of a class or of its bases."""
        for statement in self.class_node(owner).body.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value == name:
                return statement
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.Assign) and dotted(small.targets[0].target) == name:
                    return small.value
                if isinstance(small, cst.AnnAssign) and dotted(small.target) == name and small.value:
                    return small.value
        for base in self.bases(owner):
            if (found := self.member(base, name)) is not None:
                return found
        return None

    # Statements: each block answers whether it goes on after its end

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

    def _items(self, value: Value) -> list[Value]:
        found: list[Value] = []
        for atom in value:
            if isinstance(atom, Sequence):
                found += atom.items
            elif isinstance(atom, Mapping):
                found += [(Const(key),) for key in atom.items]
            found += [(AnyKey(path),) for path in _tables(atom)]
        return found or [UNKNOWN]

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

    def _assign(self, target: cst.BaseExpression, value: Value, frame: Frame) -> None:
        if isinstance(target, cst.Name):
            frame.names[target.value] = value
        elif isinstance(target, cst.Tuple | cst.List):
            for index, element in enumerate(target.elements):
                self._assign(element.value, either(*(_item(atom, index) for atom in value)) or UNKNOWN, frame)
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
            self.readings.taken_whole.add(path)
            for key, held in atom.items.items():
                looked_at = self.readings.at((*path, key)).looked_at
                self.readings.ask((*path, key), held)
                self.readings.at((*path, key)).looked_at = looked_at
                atom.items[key] = either((Node((*path, key)),), held)

    # Expressions

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

    def _spread(self, made: Mapping, value: Value) -> None:
        for atom in value:
            if isinstance(atom, Mapping):
                made.items.update(atom.items)
                made.over += atom.over
            elif isinstance(atom, Node):
                self._copy_over(made, atom.path)

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
                    for path in _tables(atom):
                        self.readings.ask((*path, literal(left)))
            self._compare_text(left, right)
            result = _compared(part.operator, left, right) if len(node.comparisons) == 1 else UNKNOWN
        return result

    def _compare_text(self, left: Value, right: Value) -> None:
        if known(right) and isinstance(text := literal(right), str):
            for atom in left:
                if isinstance(atom, Node) and text not in self.readings.at(atom.path).compared:
                    self.readings.at(atom.path).compared.append(text)

    def _index(self, node: cst.Subscript, frame: Frame) -> Value:
        part = node.slice[0].slice
        return self.evaluate(part.value, frame) if isinstance(part, cst.Index) else UNKNOWN

    def _subscript(self, node: cst.Subscript, frame: Frame) -> Value:
        key = self._index(node, frame)
        found = [self.read(atom, key) for atom in self.evaluate(node.value, frame)]
        return either(*found) or UNKNOWN

    def read(self, atom: Atom, key: Value, default: Value = ()) -> Value:
        """``atom[key]``, or ``atom.get(key, default)``."""
        if not known(key) or isinstance(literal(key), list | dict):
            return self._read_any(atom, key)
        name = literal(key)
        if isinstance(atom, Mapping) and name in atom.items:
            for one in atom.items[name]:
                if isinstance(one, Node):
                    self.readings.at(one.path).looked_at = True
            return atom.items[name]
        found = [(Node((*path, name)),) for path in _tables(atom) if isinstance(name, str)]
        for path in _tables(atom):
            self.readings.ask((*path, name), default)
        if isinstance(atom, Sequence) and isinstance(name, int):
            return _item(atom, name)
        return either(*found, default) or UNKNOWN

    def _read_any(self, atom: Atom, key: Value) -> Value:
        if isinstance(atom, Mapping) and atom.items and not touches((atom,)):
            return either(*atom.items.values())
        for one in key:
            if isinstance(atom, Node) and isinstance(one, AnyKey):
                return (AnyKey(one.path, value=True),)
        return UNKNOWN

    def _attribute(self, node: cst.Attribute, frame: Frame) -> Value:
        found = [self._attribute_of(atom, node.attr.value) for atom in self.evaluate(node.value, frame)]
        return either(*found) or UNKNOWN

    def _attribute_of(self, atom: Atom, name: str) -> Value:
        if isinstance(atom, Module):
            if self.sources.has(f"{atom.name}.{name}"):
                return (Module(f"{atom.name}.{name}"),)
            return self.name_of(atom.name, name)
        if isinstance(atom, Instance):
            if name in atom.attributes:
                return atom.attributes[name]
            return self._class_attribute(atom.owner, name, (atom,))
        if isinstance(atom, Class):
            return self._class_attribute(atom, name, ())
        if isinstance(atom, Bound):
            return self._class_attribute(atom.owner, name, (atom,)) if name.startswith("get") else UNKNOWN
        if isinstance(atom, Node | Mapping | Const | AnyKey | Sequence):
            return (Method(atom, name),)
        return UNKNOWN

    def _class_attribute(self, owner: Class, name: str, instance: Value) -> Value:
        if self.is_enum(owner):
            return (Member(owner, name),)
        found = self.member(owner, name)
        if isinstance(found, cst.FunctionDef):
            plain = any(dotted(d.decorator) == "staticmethod" for d in found.decorators)
            return (Function(owner.module, found, () if plain else instance or (owner,), owner.name),)
        return self.evaluate(found, Frame(owner.module, {})) if isinstance(found, cst.BaseExpression) else UNKNOWN

    # Calls

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
        pairs: list[Value] = [
            (Sequence(((AnyKey(path),), (AnyKey(path, value=True),))),) for path in _tables(atom)
        ]
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


CONVERSIONS = frozenset({"copy.copy", "copy.deepcopy", "dict", "int", "float", "str", "bool", "list", "tuple"})

OPERATIONS: dict[type[cst.BaseBinaryOp], Any] = {
    cst.Add: lambda a, b: a + b,
    cst.Subtract: lambda a, b: a - b,
    cst.Multiply: lambda a, b: a * b,
    cst.Divide: lambda a, b: a / b,
    cst.FloorDivide: lambda a, b: a // b,
    cst.Power: lambda a, b: a**b,
}

COMPARISONS: dict[type[cst.BaseCompOp], Any] = {
    cst.Equal: lambda a, b: a == b,
    cst.NotEqual: lambda a, b: a != b,
    cst.In: lambda a, b: a in b,
    cst.NotIn: lambda a, b: a not in b,
    cst.Is: lambda a, b: a is b,
    cst.IsNot: lambda a, b: a is not b,
}


def _compared(operator: cst.BaseCompOp, left: Value, right: Value) -> Value:
    """A comparison of two literals; names of deepspeed's optimizers and versions are told apart by these."""
    work = COMPARISONS.get(type(operator))
    if work is None or not (known(left) and known(right)):
        return UNKNOWN
    try:
        return (Const(bool(work(literal(left), literal(right)))),)
    except TypeError:
        return UNKNOWN


def _tables(atom: Atom) -> list[Path]:
    """The tables of the config that a lookup in ``atom`` looks into."""
    if isinstance(atom, Node):
        return [atom.path]
    return list(atom.over) if isinstance(atom, Mapping) else []


def _item(atom: Atom, index: int) -> Value:
    if isinstance(atom, Sequence) and -len(atom.items) <= index < len(atom.items):
        return atom.items[index]
    return UNKNOWN


def _merged(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    return {name: either(one.get(name, ()), other.get(name, ())) for name in {*one, *other}}


def _only_raises(body: cst.BaseSuite) -> bool:
    last = body.body[-1] if body.body else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Raise)


__all__ = ["Assigned", "Follower", "Frame", "Unknown"]
