"""What a name or an attribute means in a release: modules, functions, classes and their bases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence as Items
from typing import Any

import libcst as cst

from .modules import Definition, Import, Sources, dotted
from .readings import Readings
from .values import UNKNOWN, Class, Const, Function, Module, Value, either, item_of

MODEL_BASES = frozenset({"BaseModel", "DeepSpeedConfigModel"})
EXTERNAL = {"sys.maxsize": 2**63 - 1}


class Frame:
    """The names of one function while it is followed, and what it has returned so far."""

    def __init__(self, module: str, names: dict[str, Value], function: Function | None = None) -> None:
        self.module, self.names, self.function = module, names, function
        self.returned: list[Value] = []


class Names(ABC):
    """The names of one release."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.readings = Readings()
        self.constructed: list[tuple[Class | Module, Value, frozenset[str]]] = []
        self.made: list[Class] = []
        self._globals: dict[tuple[str, str], Value] = {}
        self._stack: list[tuple[int, Value]] = []
        self.remember = False
        self._lacking: frozenset[tuple[int, Any]] = frozenset()
        self._known: dict[object, Value] = {}

    @abstractmethod
    def evaluate(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """What an expression may be worth."""

    @abstractmethod
    def block(self, body: Items[cst.CSTNode], frame: Frame) -> bool:
        """Follow statements; False when what comes after them is not reached."""

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
        return either(*(item_of(atom, found.unpacked) for atom in value))

    def _follow_import(self, found: Import) -> Value:
        if not found.name:
            return (Module(found.module),)
        return self.name_of(found.module, found.name)

    def _external(self, name: str) -> Value:
        return (Const(EXTERNAL[name]),) if name in EXTERNAL else (Module(name),)

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
