"""What cfgc says of one spoilt file, whether it says it at the right place, and whether its fix mends the file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.releases import newest_release, release
from cfgc.diagnostics import Diagnostic, Label, Rejected
from cfgc.fixing.apply import Kind, apply_edits
from cfgc.fixing.tree import CannotEditError
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import check, lower
from cfgc.resources import shipped_dir
from tools.mutations.operators import Mutation
from tools.mutations.places import extents
from tools.mutations.subjects import REPOSITORY, Subject, Where, text_of

ROUNDS = 8
"""Fixes can uncover one another's mistakes: so often are they applied."""


@dataclass(frozen=True)
class Verdict:
    """cfgc's word on one mutation: its codes, and whether place, help and fix are right."""

    mutation: Mutation
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    placed: bool
    helped: bool
    mended: bool
    crashed: str = ""

    @property
    def diagnosed(self) -> bool:
        """Whether it says anything."""
        return bool(self.errors or self.warnings)


def judged(mutation: Mutation, quiet: frozenset[str]) -> Verdict:
    """cfgc's verdict. ``quiet`` are warnings that the good file has too."""
    text = text_of(mutation.subject.kind, mutation.tree)
    try:
        found = [d for d in findings(mutation.subject, text) if d.severity == "error" or _name(d) not in quiet]
    except Exception as error:
        return Verdict(mutation, (), (), False, False, False, repr(error))
    errors = [d for d in found if d.severity == "error"]
    shown = errors or found
    return Verdict(
        mutation,
        tuple(dict.fromkeys(d.code for d in errors)),
        tuple(dict.fromkeys(d.code for d in found if d.severity == "warning")),
        placed=any(_points_at(d, text, mutation) for d in shown),
        helped=bool(shown) and all(d.helps for d in shown),
        mended=bool(shown) and _mends(mutation.subject, text, quiet),
    )


def findings(subject: Subject, text: str) -> tuple[Diagnostic, ...]:
    """All that cfgc says of ``text`` in the place of ``subject``."""
    if subject.kind == "ds_config":
        return check_ds_config("ds_config.json", text.encode(), release(newest_release()), subject.world_size or None)
    reader = MemoryReader({"spec.toml": text}, DiskReader(REPOSITORY, shipped_dir("specs")))
    try:
        checked = check(reader, "spec.toml")
        lower(checked)
    except Rejected as rejected:
        return rejected.diagnostics
    return checked.warnings


def quiet_of(subject: Subject) -> tuple[frozenset[str], tuple[str, ...]]:
    """The warnings of the good file, and the codes of its errors: false alarms."""
    found = findings(subject, text_of(subject.kind, subject.tree))
    return frozenset(map(_name, found)), tuple(d.code for d in found if d.severity == "error")


def _name(found: Diagnostic) -> str:
    return f"{found.code} {found.message}"


def _points_at(found: Diagnostic, text: str, mutation: Mutation) -> bool:
    """Whether a label touches the key that is wrong, or the one that it contradicts."""
    places = [found.primary, *found.secondary]
    wanted = (mutation.at, *mutation.others)
    return any(_overlaps(label, text, mutation.subject, where) for label in places if label for where in wanted)


def _overlaps(label: Label, text: str, subject: Subject, where: Where) -> bool:
    return any(label.span.start < end and start < label.span.end for start, end in extents(subject.kind, text, where))


def _mends(subject: Subject, text: str, quiet: frozenset[str]) -> bool:
    """Whether first fixes, one after the other, leave no error, and no warning that the good file has not."""
    for _ in range(ROUNDS):
        found = [d for d in findings(subject, text) if d.severity == "error" or _name(d) not in quiet]
        if not found:
            return True
        mended = _fixed(subject, text, [d for d in found if d.severity == "error"] or found)
        if mended == text:
            break
        text = mended
    return not any(d.severity == "error" for d in found)


def _fixed(subject: Subject, text: str, found: Sequence[Diagnostic]) -> str:
    """``text`` with the first fix of the first finding that has one for this file."""
    kind: Kind = "toml" if subject.kind == "spec" else "json"
    for finding in found:
        for fix in finding.fixes[:1]:
            if all(edit.source.logical in ("spec.toml", "ds_config.json") for edit in fix.edits):
                with suppress(CannotEditError):
                    return apply_edits(text, fix.edits, kind)
    return text
