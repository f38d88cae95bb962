"""wiring.py: real imports and real calls of the user's own code, put together with LibCST."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import libcst as cst

from cfgc.emit.literals import WIDTH, call_of, string_of
from cfgc.emit.namespace import Import, imports_of
from cfgc.lower.plan import Call
from cfgc.usercode.calls import GIVEN, Role

_ABOUT = '''"""The user's own code in this run: where each function comes from, and what it is given.

Written by cfgc: change the spec and build again.
"""'''


@dataclass(frozen=True)
class _Function:
    """A function of wiring.py: its signature, and what its annotations need."""

    signature: str
    doc: str
    typing: tuple[str, ...] = ()
    checked: tuple[tuple[str, str], ...] = ()


_MAPPING, _TENSOR = ("collections.abc", "Mapping"), ("torch", "Tensor")
_OF_A_BATCH = "outputs: Any, batch: Mapping[str, Tensor]"
_FUNCTIONS: Mapping[Role, _Function] = {
    "model": _Function("def build_model() -> nn.Module: ...", "[model].", (), (("torch", "nn"),)),
    "data": _Function(
        'def build_data(split: Literal["train", "evaluation"]) -> Dataset[dict[str, Tensor]]: ...',
        "[data]: the samples of one split.",
        ("Literal",),
        (_TENSOR, ("torch.utils.data", "Dataset")),
    ),
    "optimizer": _Function(
        "def build_optimizer(groups: list[dict[str, Any]]) -> Optimizer: ...",
        "[training.optimizer], over torch's parameter groups.",
        ("Any",),
        (("torch.optim", "Optimizer"),),
    ),
    "loss": _Function(
        f"def loss({_OF_A_BATCH}) -> Tensor: ...",
        "[training.loss]: one number a sample, [micro batch].",
        ("Any",),
        (_MAPPING, _TENSOR),
    ),
    "metric": _Function(
        f"def metrics({_OF_A_BATCH}) -> dict[str, Tensor]: ...",
        "[evaluation] metrics: one number a sample each, [micro batch].",
        ("Any",),
        (_MAPPING, _TENSOR),
    ),
    "task": _Function("def run_task() -> object: ...", "[task]."),
}
"""By role, in the order in which they stand in the file."""

RESERVED = frozenset(
    {"build_model", "build_data", "build_optimizer", "loss", "metrics", "run_task", "split", "groups", "outputs",
     "batch", "TYPE_CHECKING", "Any", "Literal", "Mapping", "Tensor", "nn", "Dataset", "Optimizer", "annotations"}
)  # fmt: skip
"""Names that wiring.py has itself."""


def wiring_py(calls: Sequence[Call]) -> str:
    """The text of wiring.py for ``calls``, one at least."""
    imports = imports_of(calls, RESERVED)
    roles: list[Role] = [role for role in _FUNCTIONS if any(call.role == role for call in calls)]
    body = [cst.parse_statement(_ABOUT), *_head([_FUNCTIONS[role] for role in roles], imports)]
    for role in roles:
        mine = [(call, found.local) for call, found in zip(calls, imports, strict=True) if call.role == role]
        body.append(_function(role, mine))
    return cst.Module(body).code


def _head(
    functions: Sequence[_Function], imports: Sequence[Import]
) -> Iterator[cst.BaseCompoundStatement | cst.SimpleStatementLine]:
    yield _spaced(_line("from __future__ import annotations"))
    checked = _by_module({pair for function in functions for pair in function.checked})
    names = {name for function in functions for name in function.typing} | ({"TYPE_CHECKING"} if checked else set())
    if names:
        yield _spaced(_line(f"from typing import {', '.join(sorted(names, key=lambda one: (not one.isupper(), one)))}"))
    for position, (module, aliases) in enumerate(_statements(imports)):
        line = _import(module, aliases)
        yield _spaced(line) if position == 0 else line
    if checked:
        lines = [_line(f"from {module} import {', '.join(sorted(found))}") for module, found in checked.items()]
        if _MAPPING[0] in checked:
            lines[1] = _spaced(lines[1])
        yield cst.If(cst.Name("TYPE_CHECKING"), cst.IndentedBlock(lines), leading_lines=[cst.EmptyLine()])


def _by_module(pairs: Set[tuple[str, str]]) -> dict[str, list[str]]:
    """What each module gives; the standard library's comes first, and torch's own names follow."""
    found: dict[str, list[str]] = {}
    for module, name in sorted(pairs):
        found.setdefault(module, []).append(name)
    return found


def _line(code: str) -> cst.SimpleStatementLine:
    line = cst.parse_statement(code)
    assert isinstance(line, cst.SimpleStatementLine)
    return line


def _spaced(line: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
    return line.with_changes(leading_lines=[cst.EmptyLine(indent=False)])


def _statements(imports: Sequence[Import]) -> list[tuple[str, list[cst.ImportAlias]]]:
    """What each statement imports, as import sorters write it: what keeps its name together, any other alone."""
    plain: dict[str, set[str]] = {}
    found: list[tuple[str, str, list[cst.ImportAlias]]] = []
    for one in dict.fromkeys(imports):
        if one.local == one.name:
            plain.setdefault(one.module, set()).add(one.name)
        else:
            alias = cst.ImportAlias(cst.Name(one.name), cst.AsName(cst.Name(one.local)))
            found.append((one.module, one.name, [alias]))
    for module, names in plain.items():
        ordered = sorted(names, key=_member)
        found.append((module, ordered[0], [cst.ImportAlias(cst.Name(name)) for name in ordered]))
    return [(module, aliases) for module, _, aliases in sorted(found, key=lambda one: (one[0], _member(one[1])))]


def _member(name: str) -> tuple[bool, bool, str]:
    """Constants, then classes, then the rest."""
    constant = name.isupper() and len(name) > 1
    return not constant, not name[:1].isupper(), name


def _import(module: str, aliases: list[cst.ImportAlias]) -> cst.SimpleStatementLine:
    """``from module import name as local``, in brackets where it is too long for a line."""
    between = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    names = [*(alias.with_changes(comma=between) for alias in aliases[:-1]), aliases[-1]]
    flat = cst.SimpleStatementLine([cst.ImportFrom(_dotted(module), names)])
    if len(cst.Module([flat]).code.rstrip("\n")) <= WIDTH:
        return flat
    newline = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))
    closing = cst.ParenthesizedWhitespace(indent=True)
    names = [*(alias.with_changes(comma=cst.Comma(whitespace_after=newline)) for alias in aliases[:-1])]
    names.append(aliases[-1].with_changes(comma=cst.Comma(whitespace_after=closing)))
    opening, end = cst.LeftParen(whitespace_after=newline), cst.RightParen()
    return cst.SimpleStatementLine([cst.ImportFrom(_dotted(module), names, lpar=opening, rpar=end)])


def _dotted(path: str) -> cst.Name | cst.Attribute:
    first, *rest = path.split(".")
    node: cst.Name | cst.Attribute = cst.Name(first)
    for part in rest:
        node = cst.Attribute(node, cst.Name(part))
    return node


def _function(role: Role, calls: Sequence[tuple[Call, str]]) -> cst.FunctionDef:
    function = _FUNCTIONS[role]
    handed = GIVEN[role]
    if role == "metric":
        value = _by_name({call.name: (call, local) for call, local in calls}, handed)
    else:
        [(call, local)] = calls
        value = call_of(_called(call, local), handed, call.arguments, depth=1, column=len("    return "))
    start = function.signature.removesuffix(" ...")
    made = cst.parse_statement(f'{start}\n    """{function.doc}"""\n    return {value}\n')
    assert isinstance(made, cst.FunctionDef)
    return made.with_changes(leading_lines=[cst.EmptyLine(indent=False)] * 2)


def _by_name(calls: Mapping[str, tuple[Call, str]], handed: Sequence[str]) -> str:
    """``{"accuracy": accuracy(outputs, batch)}``, an entry to a line."""
    lines = []
    for name, (call, local) in calls.items():
        key = string_of(name)
        value = call_of(_called(call, local), handed, call.arguments, depth=2, column=len(key) + 10)
        lines.append(f"        {key}: {value},\n")
    return f"{{\n{''.join(lines)}    }}"


def _called(call: Call, local: str) -> str:
    """The name that was imported, and what is named below it."""
    return ".".join([local, *call.attribute.split(".")[1:]])
