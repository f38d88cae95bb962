"""Secrets in scripts and their logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Label
from cfgc.diagnostics.masking import KINDS, secret_kind
from cfgc.sbatch.rules.common import at, at_node
from cfgc.sbatch.script import Command, Script, unquoted
from cfgc.sbatch.shell import CAPTURED, FUNCTION, HEREDOC, PIPED, setting, use_of
from cfgc.source import Span

if TYPE_CHECKING:
    from tree_sitter import Node

_SECRET = re.compile(r"(?:^|_)(?:API_?KEY|TOKEN|SECRET|SECRET_KEY|ACCESS_KEY|PASSWORD|PASSWD|CREDENTIALS?)$")
_NO_SECRET = re.compile(r"(?:PAD|BOS|EOS|UNK|END|MAX|MIN|NUM|PER|SPECIAL)_?TOKEN$")


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds one."""
    return bool(_SECRET.search(name)) and not _NO_SECRET.search(name)


def printed(script: Script) -> Iterator[Diagnostic]:
    """xtrace over secrets, and the whole environment in the log."""
    shown = _first_traced(script)
    if shown is not None:
        node, name = shown
        tracer = next((one for one in script.named("set") if any(w[:1] == "-" and "x" in w for w in one.words)), None)
        yield Diagnostic(
            "CFG681",
            f"`set -x` prints the value of {name} into the log",
            at_node(script, node),
            secondary=(at(tracer, "from here on each command is printed, expanded"),) if tracer else (),
            notes=("logs are read, kept and shared by more people than a secret is",),
            helps=(
                "drop `set -x`; errors are found without it",
                "around these lines: { set +x; } 2>/dev/null; …; set -x",
            ),
            severity="warning",
        )
    for command in script.commands:
        if _prints_all(script, command):
            yield Diagnostic(
                "CFG681",
                "this prints the whole environment into the log, tokens and keys included",
                at(command),
                notes=("sbatch passes on what the shell that submitted the job had exported",),
                helps=("print what you need: env | grep -E '^(SLURM|NCCL|CUDA)_'",),
                severity="warning",
            )
            return


def _first_traced(script: Script) -> tuple[Node, str] | None:
    for node in script.nodes("variable_assignment", "simple_expansion", "expansion"):
        child = next((one for one in node.children if one.type == "variable_name"), None)
        name = script.text_of(child) if child is not None else ""
        if not is_secret(name) or use_of(node) & {FUNCTION, HEREDOC} or not _is_shown(script, node):
            continue
        if setting(script, "x", "xtrace", node.start_byte):
            return node, name
    return None


def _is_shown(script: Script, node: Node) -> bool:
    """Assignments are printed with their values; so are words, but not what only asks whether it is set."""
    value = node.child_by_field_name("value") if node.type == "variable_assignment" else None
    if value is not None:
        return script.text_of(value) not in {'""', "''"}
    return node.type == "simple_expansion" or (node.type == "expansion" and "+" not in script.text_of(node))


def _prints_all(script: Script, command: Command) -> bool:
    use = use_of(command.node)
    if use & {PIPED, CAPTURED, HEREDOC, FUNCTION} or not script.is_batch:
        return False
    parent = command.node.parent
    if parent is not None and parent.type == "redirected_statement":
        return False
    words = tuple(unquoted(word) for word in command.words)
    if command.program == "srun":
        return words[-1:] in {("env",), ("printenv",)} and all(word.startswith("-") for word in words[:-1])
    if command.name in {"export", "declare"}:
        assigned = any(child.type == "variable_assignment" for child in command.node.named_children)
        return not assigned and words in {("-p",), ("-x",), ("-px",), ("-xp",)}
    return command.program in {"env", "printenv"} and not words and command.node.named_child_count == 1


_PLACEHOLDER = re.compile(
    r"[<{$]|x{3,}|your|token|here|change|edit|fill|replace|todo|\*{3}|\.{3}|example|dummy|none|null", re.IGNORECASE
)


def literal_secret(script: Script) -> Iterator[Diagnostic]:
    """A secret that is written down."""
    for pattern, kind, variable in KINDS:
        for match in pattern.finditer(script.source.text):
            if not re.search(r"x{6,}|X{6,}|\.\.\.|<|\$|your", match[0]):
                yield _written_down(Label(Span(script.source, *match.span())), kind, variable)
                return
    for _, name, value in script.assignments:
        if not is_secret(name):
            continue
        text = unquoted(script.text_of(value))
        long = len(text) >= 8 and re.search(r"\d", text) and not re.search(r"[\s/$`]", text)
        if long and not _PLACEHOLDER.search(text) and secret_kind(name, text):
            yield _written_down(at_node(script, value), "a credential, by its name", name)
            return


def _written_down(label: Label, kind: str, variable: str) -> Diagnostic:
    return Diagnostic(
        "CFG692",
        f"this is {kind}, for everybody to read",
        label,
        notes=("Slurm keeps each script (`scontrol write batch_script`), and repositories keep it for ever",),
        helps=(
            f"export {variable} where you submit, and only there: sbatch passes the environment on",
            "revoke this one",
        ),
    )


RULES = (printed, literal_secret)
