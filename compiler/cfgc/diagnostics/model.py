"""What a phase says when something is wrong: data, until the command line prints it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from cfgc.source import SourceFile, Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Label:
    """A place and what to say under it."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Edit:
    """One change of a TOML or JSON file, by the path of the key in that file; tables on the way are made.

    ``set`` writes ``value`` (a plain value of TOML or JSON) whether the key is there or not, ``remove`` takes the key
    out, ``move`` gives its value another path: another name, or another section.
    """

    action: Literal["set", "remove", "move"]
    source: SourceFile
    path: tuple[str | int, ...]
    value: Any = None
    to: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Fix:
    """A help as edits, applied together. ``certain`` when nobody could want anything else: ``--fix`` applies it."""

    edits: tuple[Edit, ...]
    certain: bool = False


@dataclass(frozen=True)
class Diagnostic:
    """One finding.

    ``message`` is one sentence without a full stop. ``primary`` is the place to change, ``secondary`` the places that
    matter too (the base it contradicts). ``notes`` say why, ``helps`` what to write instead (each pasteable), ``fixes``
    the same as edits, the best first.
    """

    code: str
    message: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    severity: Severity = "error"
    fixes: tuple[Fix, ...] = ()


class Rejected(Exception):  # noqa: N818 - the outcome of a phase, not a defect
    """A phase found errors; carries every diagnostic it collected, warnings included."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(f"{d.code} {d.message}" for d in self.diagnostics))
