"""What runs after a work, and whether the script can end with the work's exit code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.sbatch.script import Command, Script
from cfgc.sbatch.shell import above, errexit, following, is_condition, statement_of
from cfgc.sbatch.steps import SMALL, is_work, program_of, python_of

if TYPE_CHECKING:
    from tree_sitter import Node

_STATEMENTS = frozenset({
    "program", "subshell", "list", "do_group", "compound_statement", "if_statement", "elif_clause", "else_clause",
    "case_item",
})  # fmt: skip
_SAYING = """
: [ cat cd cp date declare df du echo export head hostname ls mkdir module mv nvidia-smi printf pwd rm rsync sacct set
sleep squeue tail test true unset wc
"""
_SAYS = frozenset(_SAYING.split())
"""Programs that look, tell and tidy up: none of them hands a code on that was looked at before."""

_STANDING_BY = """
. activate alias awk basename break continue deactivate dirname exit false grep gzip let local mamba micromamba ml popd
pushd read readonly return scontrol sed seff shift shopt sort source sync trap tr ulimit umask wait zip
"""
_AROUND = SMALL | _SAYS | frozenset(_STANDING_BY.split())
"""What stands around the work of a job, and is none."""

_LOOKS = re.compile(r"\$\?|\$\{\?\}|PIPESTATUS")
_OF_THE_LAST = frozenset({(), ("$?",), ('"$?"',), ('"${?}"',), ("${?}",)})


def looks(text: str) -> bool:
    """Whether it asks for the exit code of the command before it."""
    return bool(_LOOKS.search(text))


def behind(work: Node) -> tuple[Node, ...]:
    """What runs after it, whichever branch is taken: in its statement, in each body around it, in the script."""
    return tuple(_behind(work))


def _behind(work: Node) -> Iterator[Node]:
    for parent, node in above(work):
        if parent.type == "if_statement" and is_condition(parent, node):
            yield from (one for one in parent.named_children if one.start_byte >= node.end_byte)
        elif parent.type in _STATEMENTS:
            yield from following(node)


def only_small(script: Script, nodes: tuple[Node, ...]) -> bool:
    """Whether nothing runs there that may be the job's work, but Python programs."""
    known = _AROUND | script.functions.keys() | {""}
    commands = (one for node in nodes for one in script.commands_in(node))
    return all(program_of(one) in known or one.program in known or python_of(one) for one in commands)


def ends_with_a_code(script: Script, nodes: tuple[Node, ...]) -> bool:
    """Whether something there may end the script with another code than its own."""
    return any(_ends(script, one) for node in nodes for one in script.commands_in(node))


def _ends(script: Script, command: Command) -> bool:
    program = command.program
    if program == "wait":
        return bool(command.words) or next(script.nodes("&"), None) is not None
    if program == "exit":
        return command.words != ("0",) and not ends_with_the_last(script, command)
    if program in script.functions:
        return bool(re.search(r"\b(exit|return|exec|kill|false)\b", script.text_of(script.functions[program])))
    return program in {"exec", "return"} or is_work(command)


def ends_with_the_last(script: Script, command: Command) -> bool:
    """``exit $?`` and ``exit`` behind a command that says something: its code is what the script ends with."""
    before = statement_of(command.node).prev_named_sibling
    return command.words in _OF_THE_LAST and before is not None and _only_says(script, before)


def _only_says(script: Script, node: Node) -> bool:
    if node.type == "redirected_statement":
        node = node.named_children[0]
    if node.type in {"variable_assignment", "declaration_command"}:
        return True
    commands = list(script.commands_in(node))
    return node.type == "command" and bool(commands) and commands[0].program in _SAYS - {"[", "test"}


def only_looks(script: Script, nodes: tuple[Node, ...], last: Node) -> bool:
    """Whether what was looked at is told and nothing else: no other program runs, and no test is the end."""
    known = _SAYS | {"exit", "wait"}
    commands = [one for node in nodes for one in script.commands_in(node)]
    fatal = any(_is_a_test(script, node) and errexit(script, node) for node in nodes)
    return all(one.program in known for one in commands) and not fatal and not _hands_on(script, last)


def _is_a_test(script: Script, node: Node) -> bool:
    if node.type == "command":
        return next((one.program for one in script.commands_in(node)), "") in {"[", "test"}
    return node.type == "test_command" or script.text_of(node).startswith("((")


def _hands_on(script: Script, node: Node) -> bool:
    """Whether the exit code of ``node`` may be another than 0 because of a test."""
    if node.type == "list":
        left, operator, right = node.children[0], script.text_of(node.children[-2]), node.children[-1]
        return _hands_on(script, right) or (operator == "&&" and (_hands_on(script, left) or left.type == "command"))
    if node.type == "if_statement":
        return any(_hands_on(script, one) for one in _last_of_each_branch(node))
    if node.type in {"command", "variable_assignment", "declaration_command"}:
        return _is_a_test(script, node)
    if node.type in {"redirected_statement", "pipeline", "compound_statement", "else_clause", "elif_clause"}:
        inner = node.named_children[-1 if node.type != "redirected_statement" else 0] if node.named_children else None
        return inner is None or _is_a_test(script, node) or _hands_on(script, inner)
    return True


def _last_of_each_branch(node: Node) -> Iterator[Node]:
    for clause in (node, *(one for one in node.named_children if one.type in {"elif_clause", "else_clause"})):
        body = [
            one
            for one in clause.named_children
            if one.type not in {"comment", "elif_clause", "else_clause"} and not is_condition(clause, one)
        ]
        yield from body[-1:]
