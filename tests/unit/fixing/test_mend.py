"""Which fixes are applied together, and when it ends."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

from cfgc.diagnostics import Diagnostic
from cfgc.diagnostics.model import Edit, Fix
from cfgc.fixing.mend import Texts, mend
from cfgc.source import SourceFile

TEXT = "a = 1\nb = 2\nc = 3\n"


def finding(*edits: Edit, certain: bool = True) -> Diagnostic:
    return Diagnostic("CFG301", "wrong", fixes=(Fix(edits, certain),))


def source(texts: Texts) -> SourceFile:
    return SourceFile("spec.toml", texts.get("spec.toml", TEXT))


def test_fixes_of_one_key_are_not_applied_together() -> None:
    def check(texts: Texts) -> Sequence[Diagnostic]:
        file = source(texts)
        found = [finding(Edit("move", file, ("a",), to=("x",))), finding(Edit("remove", file, ("a",)))]
        return found if "a" in tomllib.loads(file.text) else []

    mended = mend(check, {}, lambda _: True, unsafe=False)
    assert mended.texts == {"spec.toml": "x = 1\nb = 2\nc = 3\n"}
    assert [(change.line, change.old, change.new) for change in mended.changes] == [(1, ("a = 1",), ("x = 1",))]


def test_what_is_uncovered_is_fixed_too() -> None:
    def check(texts: Texts) -> Sequence[Diagnostic]:
        file = source(texts)
        tree = tomllib.loads(file.text)
        return [finding(Edit("remove", file, (name,))) for name in list(tree)[:1] if len(tree) > 1]

    assert mend(check, {}, lambda _: True, unsafe=False).texts == {"spec.toml": "c = 3\n"}


def test_fixes_that_undo_each_other_end() -> None:
    def check(texts: Texts) -> Sequence[Diagnostic]:
        file = source(texts)
        name, other = ("a", "x") if "a" in tomllib.loads(file.text) else ("x", "a")
        return [finding(Edit("move", file, (name,), to=(other,)))]

    mended = mend(check, {}, lambda _: True, unsafe=False)
    assert mended.texts == {"spec.toml": "x = 1\nb = 2\nc = 3\n"}
    assert len(mended.changes) == 1
    assert len(mended.findings) == 1


def test_a_fix_is_applied_as_a_whole_or_not_at_all() -> None:
    def check(texts: Texts) -> Sequence[Diagnostic]:
        file = source(texts)
        return [finding(Edit("remove", file, ("a",)), Edit("remove", file, ("nothing",)))]

    mended = mend(check, {}, lambda _: True, unsafe=False)
    assert (mended.texts, mended.changes, len(mended.findings)) == ({}, (), 1)


def test_only_certain_fixes_of_editable_files_are_applied() -> None:
    def check(texts: Texts) -> Sequence[Diagnostic]:
        uncertain = [finding(Edit("remove", source(texts), ("a",)), certain=False)]
        shipped = [finding(Edit("remove", SourceFile("cfgc:a.toml", TEXT), ("b",)))]
        return [*shipped, *(uncertain if "a" in tomllib.loads(source(texts).text) else ())]

    def editable(name: str) -> bool:
        return not name.startswith("cfgc:")

    assert mend(check, {}, editable, unsafe=False).texts == {}
    assert mend(check, {}, editable, unsafe=True).texts == {"spec.toml": "b = 2\nc = 3\n"}


def test_what_is_certain_goes_first() -> None:
    def check(texts: Texts) -> Sequence[Diagnostic]:
        file = source(texts)
        tree = tomllib.loads(file.text)
        found = [] if "x" in tree else [finding(Edit("set", file, ("x",), 0), certain=False)]
        return [*found, finding(Edit("move", file, ("a",), to=("x",)))] if "a" in tree else found

    mended = mend(check, {}, lambda _: True, unsafe=True)
    assert mended.texts == {"spec.toml": "x = 1\nb = 2\nc = 3\n"}
