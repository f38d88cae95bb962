"""``cfgc check --fix``: apply the fixes of what was found, in the files of the project, or show them as a diff."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

from cfgc.cli.report import say
from cfgc.cli.writing import write_whole
from cfgc.diagnostics import Diagnostic
from cfgc.diagnostics.masking import masked_text
from cfgc.fixing.mend import Change, Texts, mend
from cfgc.load.raw import SHIPPED


@dataclass(frozen=True)
class Subject:
    """One file that is checked, given the texts of files that changed. Names are relative to ``root``."""

    root: Path
    check: Callable[[Texts], Sequence[Diagnostic]]

    def path_of(self, name: str) -> Path | None:
        """The file of that name below the root; None for any other, such as a shipped spec."""
        path = Path() if name.startswith(SHIPPED) else (self.root / name).resolve()
        return path if path.is_relative_to(self.root.resolve()) and path.is_file() else None

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.path_of(name) is not None

    def names_of(self, texts: dict[Path, str]) -> dict[str, str]:
        """``texts`` by their names here."""
        root = self.root.resolve()
        return {path.relative_to(root).as_posix(): text for path, text in texts.items() if path.is_relative_to(root)}


@dataclass(frozen=True)
class Fixed:
    """What was changed, and the files before and after."""

    changes: tuple[Change, ...]
    before: dict[Path, str]
    after: dict[Path, str]

    def diff(self) -> str:
        """The changes as a unified diff."""
        return "".join(masked_text(_diff(_shown(path), self.before[path], text)) for path, text in self.after.items())


def fixed(subjects: Iterable[Subject], *, unsafe: bool) -> Fixed:
    """What becomes of the files when each subject's findings are fixed, one subject after the other."""
    before: dict[Path, str] = {}
    after: dict[Path, str] = {}
    changes: list[Change] = []
    for subject in subjects:
        path_of = subject.path_of
        mended = mend(subject.check, subject.names_of(after), subject.has, unsafe=unsafe)
        for name, text in mended.texts.items():
            path = path_of(name)
            if path and after.get(path) != text:
                before.setdefault(path, path.read_bytes().decode())
                after[path] = text
        changes += [replace(change, file=_shown(path_of(change.file))) for change in mended.changes]
    return Fixed(tuple(changes), before, after)


def write_fixed(outcome: Fixed) -> None:
    """Write the files, each as a whole, and say on stderr what changed where. Raises OSError."""
    for path, text in outcome.after.items():
        write_whole(path, text.encode(), path.stat().st_mode & 0o7777)
    for change in outcome.changes:
        say(f"{change.file}:{change.line}: {change.code} {masked_text(_said(change))}")
    if outcome.changes:
        say(f"changed {_count(len(outcome.changes), 'place')} in {_count(len(outcome.after), 'file')}")


def _said(change: Change) -> str:
    """``old → new``; one of them with a sign where the other is nothing."""
    old, new = " / ".join(change.old), " / ".join(change.new)
    if old and new:
        return f"{old} → {new}"
    return f"- {old}" if old else f"+ {new}" if new else "blank lines"


def _diff(name: str, before: str, after: str) -> str:
    lines = unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _shown(path: Path | None) -> str:
    return os.path.relpath(path) if path else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
