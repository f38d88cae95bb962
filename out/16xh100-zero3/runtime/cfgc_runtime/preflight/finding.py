"""What a check found, and how all of it is said. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cfgc_runtime.errors import FINISHED, Failure, tell

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Finding:
    """A sentence that says what is wrong and what to do; ``code`` is the exit code of an error."""

    level: Literal["error", "warning", "note"]
    code: int
    sentence: str


def error(code: int, sentence: str) -> Finding:
    """Training would fail."""
    return Finding("error", code, sentence)


def warning(sentence: str) -> Finding:
    """Training may fail later, or be slow."""
    return Finding("warning", FINISHED, sentence)


def note(sentence: str) -> Finding:
    """Something could not be looked at."""
    return Finding("note", FINISHED, sentence)


def from_failure(failure: Failure) -> Finding:
    """What another part of the runtime would have stopped for."""
    return error(failure.code, str(failure))


def settle(findings: Sequence[Finding]) -> None:
    """Show warnings and notes on stderr. Raises ``Failure`` with all errors, and the code of the first, if any."""
    errors = [found for found in findings if found.level == "error"]
    for found in findings:
        if found.level != "error":
            tell(f"{found.level}: {found.sentence}")
    if len(errors) == 1:
        raise Failure(errors[0].code, errors[0].sentence)
    if errors:
        lines = "".join(f"\n  {number}. {found.sentence}" for number, found in enumerate(errors, 1))
        raise Failure(errors[0].code, f"{len(errors)} things must be put right before this can train:{lines}")
