"""Check, apply what may be applied, and check again, until nothing is left to apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from cfgc.fixing.apply import apply_edits, kind_of
from cfgc.fixing.choose import chosen
from cfgc.fixing.tree import CannotEditError

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix

ROUNDS = 10
"""A fix can uncover a mistake below its own: so often at most is the outcome checked again."""

Texts = Mapping[str, str]
"""Changed files: their text by logical name."""


@dataclass(frozen=True)
class Change:
    """Some lines of one file that a fix changed. ``old`` and ``new`` are without their indent and newlines."""

    code: str
    file: str
    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Mended:
    """The texts that changed, what was changed in them, and the findings that are left."""

    texts: Texts
    changes: tuple[Change, ...]
    findings: tuple[Diagnostic, ...]


def mend(
    check: Callable[[Texts], Sequence[Diagnostic]], texts: Texts, editable: Callable[[str], bool], *, unsafe: bool
) -> Mended:
    """Fix what ``check`` finds, given the changed files so far. ``editable`` tells files of the project by name."""
    seen = [dict(texts)]
    first: dict[str, str] = {}
    changes: list[Change] = []
    for _ in range(ROUNDS):
        findings = tuple(check(seen[-1]))
        now = dict(seen[-1])
        made: list[Change] = []
        for risky in (False, True)[: 1 + unsafe]:  # what is certain may take the ground from what is not
            picked = [] if made else list(chosen(findings, editable, unsafe=risky))
            for edit in (edit for _, fix in picked for edit in fix.edits):
                first.setdefault(edit.source.logical, edit.source.text)
            made += [change for finding, fix in picked for change in _applied(now, finding, fix)]
        now = {name: text for name, text in now.items() if name in texts or first.get(name) != text}
        if now in seen:
            return Mended(seen[-1], tuple(changes), findings)
        seen.append(now)
        changes += made
    return Mended(seen[-1], tuple(changes), tuple(check(seen[-1])))


def _applied(texts: dict[str, str], finding: Diagnostic, fix: Fix) -> list[Change]:
    """What ``fix`` changes in ``texts``, which then hold it; nothing when it can't be applied as a whole."""
    after = dict(texts)
    sources = {edit.source.logical: edit.source.text for edit in fix.edits}
    try:
        for edit in fix.edits:
            name = edit.source.logical
            after[name] = apply_edits(after.get(name, edit.source.text), [edit], kind_of(name))
    except CannotEditError:
        return []
    changed = [
        change
        for name, text in sources.items()
        for change in changes_between(finding.code, name, texts.get(name, text), after[name])
    ]
    texts.update({name: after[name] for name in sources})
    return changed


def changes_between(code: str, file: str, before: str, after: str) -> list[Change]:
    """Line by line, what makes ``after`` of ``before``; line numbers are those of ``before``."""
    old, new = before.splitlines(), after.splitlines()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        Change(code, file, start + 1, _said(old[start:end]), _said(new[first:last]))
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]


def _said(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines if line.strip())
