"""What a phase says when something is wrong: data, until the command line prints it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cfgc.source import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Label:
    """A place and what to say under it."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """One finding.

    ``message`` is one sentence without a full stop. ``primary`` is the place to change, ``secondary`` the places that
    matter too (the base it contradicts). ``notes`` say why, ``helps`` what to write instead (each pasteable).
    """

    code: str
    message: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    severity: Severity = "error"


class Rejected(Exception):  # noqa: N818 - the outcome of a phase, not a defect
    """A phase found errors; carries every diagnostic it collected, warnings included."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(f"{d.code} {d.message}" for d in self.diagnostics))
