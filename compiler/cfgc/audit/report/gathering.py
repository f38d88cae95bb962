"""From a place on the disk to the page about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_at
from cfgc.audit.comparing import compare_bundles
from cfgc.audit.report.differences import Outcome, Uncompared
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
    """What bundles are compared with: one for all of them, or those of another ``tree``, by their place in it.

    ``name`` is what it is called.
    """

    name: str = ""
    one: BundleOnDisk | None = None
    tree: Mapping[str, BundleOnDisk] | None = None

    def of(self, name: str) -> BundleOnDisk | Uncompared | None:
        """What the bundle ``name`` is compared with; None where nobody asked for that."""
        new = Uncompared(self.name, "new", f"there is no bundle {name}")
        return self.one if self.tree is None else self.tree.get(name, new)


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
            outcome, found = _compared(bundle, others.of(name), state)
            findings += found
            sheets += sheets_of(bundle, f"b{number + 1}", state, outcome)
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
        if not verdict.signature:
            return State(True, "as compiled"), []
        key = verdict.signature.key
        return State(True, f"as compiled, {'signed' if key else 'signature not checked'}", key=key), []
    details = tuple(map(str, verdict.problems)) or finding.notes
    said = "signature does not hold" if verdict.manifest else "not as compiled"
    return State(False, said, details, is_edited=verdict.manifest is None), [finding]


def _compared(
    bundle: BundleOnDisk, other: BundleOnDisk | Uncompared | None, state: State
) -> tuple[Outcome | None, tuple[Diagnostic, ...]]:
    """What differs from ``other``, with a finding where the two have nothing in common."""
    if not isinstance(other, BundleOnDisk):
        return other, ()
    if state.is_edited:
        why = "this bundle is not what was compiled, so that its values do not say what it runs"
        return Uncompared(other.name, "not compared", why), ()
    try:
        return compare_bundles(other, bundle), ()
    except Rejected as rejected:
        why = "; ".join(finding.message for finding in rejected.diagnostics)
        return Uncompared(other.name, "not compared", why), tuple(rejected.diagnostics)


def _name(found: Path, place: Path) -> str:
    return _own_name(found) if found == place else found.relative_to(place).as_posix()


def _own_name(place: Path) -> str:
    """Its last part, wherever it lies: the page says nothing of this machine."""
    return Path(os.path.abspath(place)).name or "/"  # noqa: PTH100 - resolve() would follow a link
