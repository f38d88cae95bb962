"""What is to say of one job script."""

from __future__ import annotations

from cfgc.diagnostics import Diagnostic, Label
from cfgc.sbatch.rules import RULES
from cfgc.sbatch.script import LONGEST_LINE, MOST_BYTES, MOST_COMMANDS, read_script
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
    return tuple(sorted(found, key=_place))


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
