"""From a place on the disk to the page about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_at
from cfgc.audit.comparing import Comparison, compare_bundles
from cfgc.audit.report.page import Page, Unreadable
from cfgc.audit.report.sheet import Sheet, State, sheets_of
from cfgc.audit.verify import bundles_at, verify
from cfgc.diagnostics import Diagnostic, Rejected

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True)
class Report:
    """The page, and what is wrong with the bundles on it: ``damaged`` says that not all are as compiled."""

    page: Page
    findings: tuple[Diagnostic, ...]
    damaged: bool


@dataclass(frozen=True)
class Others:
    """What bundles are compared with: one for all of them, or those of another tree, by their place in it."""

    one: BundleOnDisk | None = None
    tree: Mapping[str, BundleOnDisk] | None = None

    def of(self, name: str) -> BundleOnDisk | None:
        """What the bundle ``name`` is compared with; None where there is nothing."""
        return self.one if self.tree is None else self.tree.get(name)


def report_on(place: Path, others: Others, progress: Progress = lambda done, total: None) -> Report:
    """The report on the bundles at ``place``. Raises ``Rejected`` when none can be shown."""
    bundles = {_name(found, place): found for found in bundles_at(place)}
    sheets: list[Sheet] = []
    unreadable: list[Unreadable] = []
    findings: list[Diagnostic] = []
    for number, (name, directory) in enumerate(bundles.items()):
        progress(number, len(bundles))
        state, damage = _state(directory)
        findings += damage
        try:
            bundle = bundle_at(directory, name)
            comparison, found = _compared(bundle, others)
            findings += found
            sheets += sheets_of(bundle, f"b{number + 1}", state, comparison)
        except Rejected as rejected:
            findings += () if damage else rejected.diagnostics
            unreadable.append(Unreadable(name, tuple(finding.message for finding in rejected.diagnostics)))
    if not sheets:
        raise Rejected(findings)
    only_old = [name for name in others.tree or () if name not in bundles and place not in bundles.values()]
    page = Page(_own_name(place), tuple(sheets), tuple(unreadable), tuple(only_old))
    damaged = bool(unreadable) or not all(sheet.state.good for sheet in sheets)
    return Report(page, tuple(findings), damaged)


def _state(directory: Path) -> tuple[State, list[Diagnostic]]:
    verdict = verify(directory)
    finding = verdict.finding
    if finding is None:
        signed = f", {verdict.signature}" if verdict.signature else ""
        return State(True, f"as compiled{signed}"), []
    details = tuple(map(str, verdict.problems)) or finding.notes
    return State(False, "signature does not hold" if verdict.manifest else "not as compiled", details), [finding]


def _compared(bundle: BundleOnDisk, others: Others) -> tuple[Comparison | None, tuple[Diagnostic, ...]]:
    """None with the reason where the two have nothing in common."""
    try:
        other = others.of(bundle.name)
        return (compare_bundles(other, bundle) if other else None), ()
    except Rejected as rejected:
        return None, tuple(rejected.diagnostics)


def _name(found: Path, place: Path) -> str:
    return _own_name(found) if found == place else found.relative_to(place).as_posix()


def _own_name(place: Path) -> str:
    """Its last part, wherever it lies: the page says nothing of this machine."""
    return Path(os.path.abspath(place)).name or "/"  # noqa: PTH100 - resolve() would follow a link
