"""What is to say of one job script."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cfgc.diagnostics import Diagnostic, Label
from cfgc.sbatch.rules import RULES
from cfgc.sbatch.script import LONGEST_LINE, MOST_BYTES, MOST_COMMANDS, Script, read_script
from cfgc.source import SourceFile, Span


def lint_script(logical: str, data: bytes) -> tuple[Diagnostic, ...]:
    """Every finding, in the order of the text. Raises ``ModuleNotFoundError`` without the extra ``lint``.

    Bytes that are no UTF-8 are shown as such: neither bash nor sbatch minds them in a comment.
    """
    source = SourceFile(logical, data.decode("utf-8", errors="replace"))
    why = _too_much(source, len(data))
    if why:
        return (unreadable(logical, why),)
    script = read_script(source)
    if len(script.commands) > MOST_COMMANDS:
        return (unreadable(logical, f"it has {len(script.commands):,} commands, and is no job script"),)
    found = [finding for rule in RULES for finding in rule(script)]
    return tuple(sorted([*found, *_never_closed(script)], key=_place))


_CLOSING = {"fi": "if_statement", "done": "do_group"}
_MOST_OPEN = 10
"""More of them than this are no slip."""


def _never_closed(script: Script) -> Iterator[Diagnostic]:
    """An ``if`` without ``fi``, a ``do`` without ``done``: only where the file has fewer such words than it needs.

    bash reads as it runs: what follows an ``exit`` of the script itself may be anything.
    """
    missing = [node for node in script.nodes(*_CLOSING) if node.is_missing]
    if not 0 < len(missing) <= _MOST_OPEN or script.root.has_error is False or any(script.nodes("ERROR")):
        return
    word = missing[0].type
    opened = list(script.nodes(_CLOSING[word]))
    leaves = any(
        node.type == "command" and script.text_of(node)[:4] in {"exit", "exec"} for node in script.root.children
    )
    if leaves or len(re.findall(rf"\b{word}\b", script.source.text)) >= len(opened):
        return
    start = script.span_of(missing[0].parent or opened[0])
    line = script.source.text.count("\n", 0, start.start) + 1
    yield Diagnostic(
        "CFG699",
        f"bash cannot read this from line {line} on: a `{word}` is missing",
        Label(start),
        notes=("it ends the script there, at the latest; what stands there is not checked for certain",),
        helps=(f"close it: {word}", "see what bash says: bash -n FILE"),
        severity="warning",
    )


def _too_much(source: SourceFile, size: int) -> str:
    """Why this is no job script; empty when it may be one."""
    if size > MOST_BYTES:
        return f"it has more than {MOST_BYTES >> 10} KiB, and is no job script"
    longest = max(map(len, source.text.split("\n")))
    return f"it has a line of {longest:,} characters, and is no job script" if longest > LONGEST_LINE else ""


def _place(found: Diagnostic) -> tuple[int, str]:
    return found.primary.span.start if found.primary else 0, found.code


def unreadable(logical: str, why: str) -> Diagnostic:
    """The file cannot be looked at."""
    start = Span(SourceFile(logical, ""), 0, 0)
    return Diagnostic("CFG699", f"{logical} cannot be read: {why}", Label(start), helps=("name a job script",))
