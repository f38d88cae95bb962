"""The modules of one release, parsed when they are first asked for, and what each of their names is."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import libcst as cst


@dataclass(frozen=True)
class Import:
    """A name that another module defines; ``name`` is empty when the module itself is meant."""

    module: str
    name: str


@dataclass(frozen=True)
class Assigned:
    """A name given a value at the top of a module."""

    value: cst.BaseExpression
    unpacked: int | None = None


Definition = cst.FunctionDef | cst.ClassDef | Assigned | Import


@dataclass
class Parsed:
    """The top level of a module: its names, and the modules it takes all names of, in order."""

    names: dict[str, list[Definition]]
    stars: list[str]
    tree: cst.Module


class Sources:
    """The files of a release, by dotted module name below the package ``deepspeed``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parsed: dict[str, Parsed] = {}

    def file(self, module: str) -> Path | None:
        """The file of ``module``, or None; a package other than ``deepspeed`` beside it is none of the release."""
        if module.partition(".")[0] != "deepspeed":
            return None
        base = self._root.joinpath(*module.split("."))
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
        return None

    def has(self, module: str) -> bool:
        """Whether ``module`` is a module of the release."""
        return self.file(module) is not None

    def package(self, module: str) -> str:
        """The package that relative imports of ``module`` start from."""
        file = self.file(module)
        return module if file is not None and file.name == "__init__.py" else module.rpartition(".")[0]

    def parsed(self, module: str) -> Parsed:
        """The module's names. FileNotFoundError when there is no such module."""
        if module not in self._parsed:
            file = self.file(module)
            if file is None:
                raise FileNotFoundError(module)
            self._parsed[module] = _index(_tree(file.read_bytes()), self.package(module))
        return self._parsed[module]


@lru_cache(maxsize=250)
def _tree(source: bytes) -> cst.Module:
    """A parsed file: most are the same in the next release."""
    return cst.parse_module(source)


def _index(tree: cst.Module, package: str) -> Parsed:
    parsed = Parsed({}, [], tree)
    _index_block(tree.body, package, parsed)
    return parsed


def _index_block(body: object, package: str, parsed: Parsed) -> None:
    for statement in body if isinstance(body, list | tuple) else ():
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            parsed.names.setdefault(statement.name.value, []).append(statement)
        elif isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                _index_small(small, package, parsed)
        elif isinstance(statement, cst.If | cst.Try | cst.Else | cst.With):
            _index_block(statement.body.body, package, parsed)
            branches = [getattr(statement, "orelse", None), *getattr(statement, "handlers", ())]
            for branch in branches:
                if branch is not None:
                    _index_block((branch,) if isinstance(branch, cst.If) else branch.body.body, package, parsed)


def _index_small(small: cst.BaseSmallStatement, package: str, parsed: Parsed) -> None:
    if isinstance(small, cst.Assign):
        for target in small.targets:
            _index_target(target.target, small.value, parsed)
    elif isinstance(small, cst.AnnAssign) and small.value is not None:
        _index_target(small.target, small.value, parsed)
    elif isinstance(small, cst.ImportFrom | cst.Import):
        for name, bound in imports(small, package):
            if name == "*":
                parsed.stars.append(bound.module)
            else:
                parsed.names.setdefault(name, []).append(bound)


def _index_target(target: cst.BaseExpression, value: cst.BaseExpression, parsed: Parsed) -> None:
    if isinstance(target, cst.Name):
        parsed.names.setdefault(target.value, []).append(Assigned(value))
    elif isinstance(target, cst.Tuple):
        for index, element in enumerate(target.elements):
            if isinstance(element.value, cst.Name):
                parsed.names.setdefault(element.value.value, []).append(Assigned(value, index))


def imports(statement: cst.ImportFrom | cst.Import, package: str) -> list[tuple[str, Import]]:
    """The names that an import binds; ``*`` for all of a module."""
    if isinstance(statement, cst.Import):
        return [_imported(alias) for alias in statement.names]
    module = _origin(statement, package)
    if isinstance(statement.names, cst.ImportStar):
        return [("*", Import(module, ""))]
    found = []
    for alias in statement.names:
        name = dotted(alias.name)
        found.append((_bound_name(alias, name), Import(module, name)))
    return found


def _imported(alias: cst.ImportAlias) -> tuple[str, Import]:
    name = dotted(alias.name)
    if alias.asname is None:
        return name.partition(".")[0], Import(name.partition(".")[0], "")
    return _bound_name(alias, name), Import(name, "")


def _bound_name(alias: cst.ImportAlias, name: str) -> str:
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value
    return name


def _origin(statement: cst.ImportFrom, package: str) -> str:
    module = dotted(statement.module) if statement.module is not None else ""
    if not statement.relative:
        return module
    parts = package.split(".")
    kept = parts[: len(parts) - (len(statement.relative) - 1)]
    return ".".join([*kept, module] if module else kept)


def dotted(node: cst.BaseExpression) -> str:
    """``a.b.c`` of a name or attribute; empty for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        front = dotted(node.value)
        return f"{front}.{node.attr.value}" if front else ""
    return ""


@cache
def unpacked(archive: Path, into: Path) -> Path:
    """The directory that holds ``deepspeed/`` of a source archive, unpacked below ``into`` when it is not there yet."""
    name = archive.name.removesuffix(".tar.gz")
    root = into / name
    if not (root / "deepspeed").is_dir():
        with tarfile.open(archive) as opened:
            members = [m for m in opened.getmembers() if m.name.endswith(".py") and "/deepspeed/" in m.name]
            opened.extractall(into, members, filter="data")
    return next(path.parent for path in into.glob(f"{name.lower()}*/deepspeed"))
