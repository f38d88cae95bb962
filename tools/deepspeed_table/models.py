"""The fields of pydantic models, from their source: types, defaults, bounds, other names, what takes their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import libcst as cst

from .following import Follower
from .modules import dotted
from .naming import Frame
from .values import Class, Const, Mapping, Member, Value, known, literal

ANYTHING = frozenset({"array", "bool", "float", "int", "null", "str", "table"})
SIMPLE: dict[str, frozenset[str]] = {
    "bool": frozenset({"bool"}),
    "int": frozenset({"int"}),
    "float": frozenset({"int", "float"}),
    "str": frozenset({"str"}),
    "Path": frozenset({"str"}),
    "None": frozenset({"null"}),
    "object": ANYTHING,
    "Any": ANYTHING,
    **dict.fromkeys(("dict", "Dict", "Mapping"), frozenset({"table"})),
    **dict.fromkeys(("list", "List", "tuple", "Tuple", "set", "Set", "Sequence"), frozenset({"array"})),
}
BOUNDS = {"gt": "above", "ge": "minimum", "lt": "below", "le": "maximum"}


@dataclass
class Field:
    """One field of a model; ``names`` are those it is read by, the one that is meant first."""

    names: tuple[str, ...]
    kinds: frozenset[str]
    items: frozenset[str] = frozenset()
    choices: tuple[Any, ...] = ()
    bounds: dict[str, float] = field(default_factory=dict)
    default: Value = ()
    model: Class | None = None
    required: bool = False
    deprecated: bool = False
    replaced_by: str = ""
    rejects: frozenset[str] = frozenset()


@dataclass
class Typed:
    """What an annotation takes."""

    kinds: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    choices: tuple[Any, ...] = ()
    model: Class | None = None

    def __or__(self, other: Typed) -> Typed:
        return Typed(
            self.kinds | other.kinds,
            self.items | other.items,
            tuple(dict.fromkeys((*self.choices, *other.choices))),
            self.model or other.model,
        )


class ModelReader:
    """Reads models of the release that ``follower`` follows."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def fields(self, owner: Class) -> dict[str, Field]:
        """All fields of a model by their names in Python, those of its bases first."""
        found: dict[str, Field] = {}
        for base in reversed(self._follower.bases(owner)):
            found.update(self.fields(base))
        statements = self._follower.class_node(owner).body.body
        for statement in statements:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
                    found[small.target.value] = self._field(owner, small)
                elif isinstance(small, cst.Assign):
                    self._bare(owner, small, found)
        for statement in statements:
            if isinstance(statement, cst.FunctionDef):
                self._validator(owner, statement, found)
        return found

    def refuses_unknown(self, owner: Class) -> bool:
        """Whether a model forbids what it has no field for: its own setting, or the nearest base's."""
        for setting in self._settings(owner):
            if setting is not None:
                return setting == "forbid"
        return any(self.refuses_unknown(base) for base in self._follower.bases(owner))

    def _settings(self, owner: Class) -> Iterator[str | None]:
        frame = Frame(owner.module, {})
        for statement in self._follower.class_node(owner).body.body:
            if isinstance(statement, cst.ClassDef) and statement.name.value == "Config":
                for line in statement.body.body:
                    for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                        if isinstance(small, cst.Assign) and dotted(small.targets[0].target) == "extra":
                            yield str(literal(self._follower.evaluate(small.value, frame)))
        config = self._follower.member(owner, "model_config")
        if isinstance(config, cst.Call):
            for arg in config.args:
                if arg.keyword is not None and arg.keyword.value == "extra":
                    yield str(literal(self._follower.evaluate(arg.value, frame)))

    def _field(self, owner: Class, node: cst.AnnAssign) -> Field:
        assert isinstance(node.target, cst.Name)
        name, frame = node.target.value, Frame(owner.module, {})
        typed = self.typed(node.annotation.annotation, owner.module)
        made = Field((name,), typed.kinds, typed.items, typed.choices, model=typed.model)
        if node.value is None:
            made.required = True
        elif isinstance(node.value, cst.Call) and dotted(node.value.func).endswith("Field"):
            self._read_field_call(made, name, node.value, frame)
        else:
            made.default = self._follower.evaluate(node.value, frame)
        if made.default == (Const(None),) and made.kinds:
            made.kinds |= {"null"}
        return made

    def _bare(self, owner: Class, node: cst.Assign, found: dict[str, Field]) -> None:
        """``enabled = True``: a field of pydantic 1, of its default's type, or another default of a base's field."""
        name, value = dotted(node.targets[0].target), self._follower.evaluate(node.value, Frame(owner.module, {}))
        if name in found:
            found[name].default = value
        elif name not in {"", "model_config"} and known(value):
            found[name] = Field((name,), kinds_of(literal(value)), default=value)

    def _read_field_call(self, made: Field, name: str, call: cst.Call, frame: Frame) -> None:
        given = {arg.keyword.value if arg.keyword else "default": arg.value for arg in call.args}
        if "default" in given:
            made.default = self._follower.evaluate(given["default"], frame)
            made.required = isinstance(given["default"], cst.Ellipsis)
        elif "default_factory" in given:
            for atom in self._follower.evaluate(given["default_factory"], frame):
                made.default = self._follower.call(atom, [], {}, ()) or ()
        else:
            made.required = True
        for keyword, bound in BOUNDS.items():
            if keyword in given:
                made.bounds[bound] = literal(self._follower.evaluate(given[keyword], frame))
        if "alias" in given:
            made.names = (literal(self._follower.evaluate(given["alias"], frame)), name)
        extra = self._extra(given, frame)
        made.deprecated = extra.get("deprecated") is True
        made.replaced_by = extra.get("new_param") or "" if made.deprecated else ""

    def _extra(self, given: dict[str, cst.BaseExpression], frame: Frame) -> dict[str, Any]:
        """What a field says of its replacement: in ``json_schema_extra``, or as arguments with pydantic 1."""
        found: dict[str, Any] = {}
        for name in ("deprecated", "new_param"):
            if name in given:
                found[name] = literal(self._follower.evaluate(given[name], frame))
        for atom in self._follower.evaluate(given["json_schema_extra"], frame) if "json_schema_extra" in given else ():
            if isinstance(atom, Mapping):
                found.update({key: literal(value) for key, value in atom.items.items() if known(value)})
        return found

    def typed(self, node: cst.BaseExpression, module: str) -> Typed:
        """What an annotation takes of JSON."""
        if isinstance(node, cst.Subscript):
            return self._subscripted(dotted(node.value).rpartition(".")[2], node, module)
        if isinstance(node, cst.BinaryOperation):
            return self.typed(node.left, module) | self.typed(node.right, module)
        name = dotted(node).rpartition(".")[2]
        if name in SIMPLE:
            return Typed(SIMPLE[name])
        for atom in self._follower.evaluate(node, Frame(module, {})):
            if isinstance(atom, Class):
                return self._of_class(atom)
        return self._aliased(name, module)

    def _aliased(self, name: str, module: str) -> Typed:
        """A name that the module gives to an annotation, such as ``PassName = Literal[...]``."""
        if self._follower.sources.has(module):
            for found in self._follower.sources.parsed(module).names.get(name, ()):
                value = getattr(found, "value", None)
                if isinstance(value, cst.Subscript):
                    return self.typed(value, module)
        return Typed()

    def _subscripted(self, name: str, node: cst.Subscript, module: str) -> Typed:
        parts = [e.slice.value for e in node.slice if isinstance(e.slice, cst.Index)]
        if name == "Literal":
            values = tuple(literal(self._follower.evaluate(part, Frame(module, {}))) for part in parts)
            return Typed(frozenset(kind_of(value) for value in values), choices=values)
        if name in {"Optional", "Union"}:
            found = Typed(SIMPLE["None"]) if name == "Optional" else Typed()
            for part in parts:
                found |= self.typed(part, module)
            return found
        found = Typed(SIMPLE.get(name, frozenset()))
        if "array" in found.kinds and parts:
            item = self.typed(parts[0], module)
            return Typed(found.kinds, item.kinds, item.choices)
        return found

    def _of_class(self, owner: Class) -> Typed:
        if self._follower.is_model(owner):
            return Typed(frozenset({"table"}), model=owner)
        if self._follower.is_enum(owner):
            values = tuple(dict.fromkeys(self._members(owner)))
            return Typed(frozenset(kind_of(value) for value in values), choices=values)
        return Typed()

    def _members(self, owner: Class) -> Iterator[Any]:
        for statement in self._follower.class_node(owner).body.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.Assign):
                    value = self._follower.evaluate(small.value, Frame(owner.module, {}))
                    if known(value):
                        yield literal(value)

    def texts_of(self, owner: Class) -> list[str]:
        """Every text that stands for a member of an enumeration whose members have several."""
        found: list[str] = []
        for statement in self._follower.class_node(owner).body.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.Assign) and isinstance(small.value, cst.Tuple):
                    values = [self._follower.evaluate(e.value, Frame(owner.module, {})) for e in small.value.elements]
                    found += [literal(value) for value in values if known(value) and isinstance(literal(value), str)]
        return found

    def plain(self, value: Value) -> Any:
        """The JSON of a default; ValueError when it has none."""
        if len(value) == 1 and isinstance(value[0], Member):
            found = self._follower.member(value[0].owner, value[0].name)
            if isinstance(found, cst.BaseExpression):
                return literal(self._follower.evaluate(found, Frame(value[0].owner.module, {})))
        return literal(value)

    # Validators

    def _validator(self, owner: Class, node: cst.FunctionDef, found: dict[str, Field]) -> None:
        for decorator in node.decorators:
            call = decorator.decorator
            if not isinstance(call, cst.Call):
                continue
            kind = dotted(call.func).rpartition(".")[2]
            if kind in {"field_validator", "validator"}:
                names = [
                    literal(self._follower.evaluate(a.value, Frame(owner.module, {})))
                    for a in call.args
                    if not a.keyword
                ]
                for name in names:
                    if name in found and len(node.params.params) > 1:
                        _checked_value(node, node.params.params[1].name.value, found[name])
            elif kind in {"model_validator", "root_validator"}:
                self._checked_model(owner, node, found)

    def _checked_model(self, owner: Class, node: cst.FunctionDef, found: dict[str, Field]) -> None:
        """What a validator of the whole raises for at its top, of one field alone."""
        for test in _raising_tests(node):
            parts = [test.left, test.right] if _is_and(test) else [test]
            if len(parts) == 1 or _is_of_kind(parts[0]):
                self._checked_field(owner, parts[-1], found)

    def _checked_field(self, owner: Class, test: cst.BaseExpression, found: dict[str, Field]) -> None:
        """``self.x not in [...]`` and ``self.x != ...``: the choices of ``x``; ``self.x < 1``: its bound."""
        if not isinstance(test, cst.Comparison) or not dotted(test.left).startswith("self."):
            return
        name, part = dotted(test.left).removeprefix("self."), test.comparisons[0]
        value = self._follower.evaluate(part.comparator, Frame(owner.module, {}))
        if name not in found or not known(value):
            return
        if isinstance(part.operator, cst.NotIn):
            found[name].choices = tuple(literal(value))
        elif isinstance(part.operator, cst.NotEqual):
            found[name].choices = (literal(value),)
        elif isinstance(part.operator, cst.LessThan):
            found[name].bounds["minimum"] = literal(value)


def _is_and(test: cst.BaseExpression) -> TypeGuard[cst.BooleanOperation]:
    return isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And)


def _is_of_kind(test: cst.BaseExpression) -> bool:
    return isinstance(test, cst.Call) and dotted(test.func) == "isinstance"


def _raising_tests(node: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
    for statement in node.body.body:
        if isinstance(statement, cst.If):
            first = statement.body.body[0]
            if isinstance(first, cst.SimpleStatementLine) and isinstance(first.body[0], cst.Raise):
                yield statement.test


def _checked_value(node: cst.FunctionDef, name: str, found: Field) -> None:
    """``if isinstance(v, bool): raise`` and ``if v < 0: raise`` in the validator of a field."""
    for test in _raising_tests(node):
        if isinstance(test, cst.Call) and dotted(test.func) == "isinstance" and dotted(test.args[0].value) == name:
            found.rejects |= SIMPLE.get(dotted(test.args[1].value), frozenset())
        elif isinstance(test, cst.Comparison) and dotted(test.left) == name:
            part = test.comparisons[0]
            bound = {cst.LessThan: "minimum", cst.LessThanEqual: "above"}.get(type(part.operator))
            if bound and isinstance(part.comparator, cst.Integer):
                found.bounds[bound] = int(part.comparator.value)


def kinds_of(default: Any) -> frozenset[str]:
    """What a key takes whose type is known by its default alone."""
    kind = kind_of(default)
    return frozenset({"int", "float"}) if kind == "float" else frozenset({kind})


def kind_of(value: Any) -> str:
    """The kind of a JSON value."""
    if value is None:
        return "null"
    names = {bool: "bool", int: "int", float: "float", str: "str", list: "array", dict: "table"}
    return names[type(value)]
