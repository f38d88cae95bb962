"""``python -m tools.config_shapes``: the part of config.py that is the same in all bundles, made once with LibCST.

It depends on the classes of the plan alone. Made at every build, it took a third of it; a test holds that it is fresh.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

import cfgc.emit
import cfgc.lower

SHAPES = Path(cfgc.emit.__path__[0]) / "config_shapes.json"
_PLANS = Path(cfgc.lower.__path__[0])

_ABOUT = '''"""The run as data: every number final. Written by cfgc: change the spec and build again.

Needs the standard library only; importing it makes these values and does nothing else.
"""'''
_PAIRS = {"Mapping[str, str]": "tuple[tuple[str, str], ...]"}


@dataclass(frozen=True)
class _Shape:
    """A plan class as its source has it."""

    name: str
    doc: str
    annotations: dict[str, str]


def shapes_json() -> str:
    """The text of ``SHAPES``: the head of config.py; for each class of the plan its code and its annotations."""
    head = cst.parse_module((SHAPES.parent / "frozen.py").read_text(encoding="utf-8"))
    classes = {
        shape.name: {"annotations": shape.annotations, "code": cst.Module([_class_of(shape)]).code}
        for shape in sorted(_shapes(), key=lambda shape: shape.name)
    }
    head_code = head.with_changes(body=[cst.parse_statement(_ABOUT), *head.body[1:]]).code
    return json.dumps({"classes": classes, "head": head_code}, indent=1, ensure_ascii=False) + "\n"


def _shapes() -> Iterator[_Shape]:
    sources = sorted(path for path in _PLANS.iterdir() if re.fullmatch(r"plan(_\w+)?\.py", path.name))
    trees = (ast.parse(source.read_text(encoding="utf-8")) for source in sources)
    for node in (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)):
        yield _Shape(node.name, ast.get_docstring(node) or "", _annotations(node))


def _annotations(node: ast.ClassDef) -> dict[str, str]:
    found = [item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)]
    texts = ((item.target.id, ast.unparse(item.annotation)) for item in found if isinstance(item.target, ast.Name))
    return {name: _PAIRS.get(text, text).replace("'", '"') for name, text in texts}


def _class_of(shape: _Shape) -> cst.ClassDef:
    lines = [cst.SimpleStatementLine([cst.Expr(cst.SimpleString(_docstring(shape.doc)))])]
    for position, (name, annotation) in enumerate(shape.annotations.items()):
        typed = cst.AnnAssign(cst.Name(name), cst.Annotation(cst.parse_expression(annotation)))
        lines.append(cst.SimpleStatementLine([typed], leading_lines=[cst.EmptyLine(indent=False)] * (position == 0)))
    gap = [cst.EmptyLine(indent=False)] * 2
    return cst.ClassDef(
        cst.Name(shape.name), cst.IndentedBlock(lines), bases=[cst.Arg(cst.Name("Frozen"))], leading_lines=gap
    )


def _docstring(doc: str) -> str:
    first, *rest = doc.splitlines()
    indented = "\n".join([first, *(f"    {line}" if line else "" for line in rest)])
    return f'"""{indented}\n    """' if rest else f'"""{first}"""'


if __name__ == "__main__":
    SHAPES.write_text(shapes_json(), encoding="utf-8")
