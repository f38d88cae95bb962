"""config.py: the plan as frozen, typed data, made of LibCST nodes only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib.resources import files

import libcst as cst

from cfgc.emit.literals import expression_of, string_of
from cfgc.lower import plan as plan_classes
from cfgc.lower.plan import AnyPlan, TaskPlan

CONSTANTS = (
    "experiment", "target", "topology", "work", "weights", "batch", "schedule", "precision", "zero_stage", "compile",
    "model", "optimizer", "data", "evaluation", "early_stopping", "gradient_health", "penalties", "checkpoint",
    "tracking", "package", "launch",
)  # fmt: skip
"""Fields of the plan that the runtime reads, in order; the constant is the upper-case name."""

TASK_CONSTANTS = ("experiment", "target", "topology", "task", "package", "launch")
"""The same of a task."""

_ABOUT = cst.parse_statement(
    '''"""The run as data: every number final. Written by cfgc: change the spec and build again.

Needs the standard library only; importing it makes these values and does nothing else.
"""'''
)
_PAIRS = {"Mapping[str, str]": "tuple[tuple[str, str], ...]"}


@dataclass(frozen=True)
class _Shape:
    """A plan class as its source has it: the docstring (dropped from classes by ``-OO``) and the annotations."""

    doc: str
    annotations: dict[str, str]


def config_py(plan: AnyPlan, plan_digest: str) -> str:
    """The text of config.py: a module that the standard library alone can load."""
    head = _head()
    digest = _assign("PLAN_DIGEST", cst.parse_expression("Final[str]"), string_of(plan_digest))
    body = [_ABOUT, *head.body[1:], *map(_class_of, _classes(plan)), *_constants(plan), digest]
    return head.with_changes(body=body).code


@cache
def _head() -> cst.Module:
    return cst.parse_module(files("cfgc.emit").joinpath("frozen.py").read_text(encoding="utf-8"))


@cache
def _shapes() -> dict[str, _Shape]:
    sources = (file for file in files("cfgc.lower").iterdir() if re.fullmatch(r"plan(_\w+)?\.py", file.name))
    trees = (ast.parse(source.read_text(encoding="utf-8")) for source in sources)
    classes = (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    return {node.name: _Shape(ast.get_docstring(node) or "", _annotations(node)) for node in classes}


def _annotations(node: ast.ClassDef) -> dict[str, str]:
    found = [item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)]
    texts = ((item.target.id, ast.unparse(item.annotation)) for item in found if isinstance(item.target, ast.Name))
    return {name: _PAIRS.get(text, text).replace("'", '"') for name, text in texts}


def _classes(plan: AnyPlan) -> list[type]:
    """The classes that the constants need, each after those it is made of."""
    found: dict[type, None] = {}
    for name in constants_of(plan):
        found.update(dict.fromkeys(_nested(getattr(plan, name))))
    return list(found)


def constants_of(plan: AnyPlan) -> tuple[str, ...]:
    """The fields that are constants of its config.py, in order."""
    return TASK_CONSTANTS if isinstance(plan, TaskPlan) else CONSTANTS


def _nested(value: object) -> Iterator[type]:
    if isinstance(value, tuple):
        for item in value:
            yield from _nested(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            held = getattr(value, field.name)
            yield from _nested(held) if held != () else _elements(str(field.type))
        yield type(value)


def _elements(annotation: str) -> Iterator[type]:
    """The plan's classes that ``annotation`` names: an empty tuple holds none to ask."""
    yield from (getattr(plan_classes, name) for name in re.findall(r"\w+", annotation) if name in _shapes())


def _class_of(cls: type) -> cst.ClassDef:
    shape = _shapes()[cls.__name__]
    lines = [cst.SimpleStatementLine([cst.Expr(cst.SimpleString(_docstring(shape.doc)))])]
    for position, (name, annotation) in enumerate(shape.annotations.items()):
        typed = cst.AnnAssign(cst.Name(name), cst.Annotation(cst.parse_expression(annotation)))
        lines.append(cst.SimpleStatementLine([typed], leading_lines=[cst.EmptyLine(indent=False)] * (position == 0)))
    gap = [cst.EmptyLine(indent=False)] * 2
    return cst.ClassDef(
        cst.Name(cls.__name__), cst.IndentedBlock(lines), bases=[cst.Arg(cst.Name("Frozen"))], leading_lines=gap
    )


def _docstring(doc: str) -> str:
    first, *rest = doc.splitlines()
    indented = "\n".join([first, *(f"    {line}" if line else "" for line in rest)])
    return f'"""{indented}\n    """' if rest else f'"""{first}"""'


def _constants(plan: AnyPlan) -> Iterator[cst.SimpleStatementLine]:
    shapes = _shapes()[type(plan).__name__].annotations
    for position, name in enumerate(constants_of(plan)):
        value = getattr(plan, name)
        kind = "Final" if is_dataclass(value) else f"Final[{shapes[name]}]"
        line = _assign(name.upper(), cst.parse_expression(kind), expression_of(value))
        yield line.with_changes(leading_lines=[cst.EmptyLine()] * 2) if position == 0 else line


def _assign(name: str, annotation: cst.BaseExpression, value: cst.BaseExpression) -> cst.SimpleStatementLine:
    equal = cst.AssignEqual()
    return cst.SimpleStatementLine([cst.AnnAssign(cst.Name(name), cst.Annotation(annotation), value, equal)])
