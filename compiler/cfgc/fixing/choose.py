"""Which fixes of a list of findings are applied together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix
    from cfgc.fixing.tree import Location

    Touched = tuple[str, Location]


def chosen(
    findings: Iterable[Diagnostic], editable: Callable[[str], bool], *, unsafe: bool
) -> Iterator[tuple[Diagnostic, Fix]]:
    """The first fix of each finding that may be applied, but none that touches what an earlier one does.

    Only certain fixes may, and with ``unsafe`` the first one of each finding; none that would change a file which is
    not ``editable`` by its logical name.
    """
    taken: list[Touched] = []
    for finding in findings:
        fix = _best(finding, editable, unsafe)
        touched = list(_touched(fix)) if fix else []
        if fix and not any(_related(one, other) for one in touched for other in taken):
            taken += touched
            yield finding, fix


def _best(finding: Diagnostic, editable: Callable[[str], bool], unsafe: bool) -> Fix | None:
    possible = [fix for fix in finding.fixes if fix.edits and all(editable(edit.source.logical) for edit in fix.edits)]
    certain = [fix for fix in possible if fix.certain]
    return next(iter(certain or (possible if unsafe else ())), None)


def _touched(fix: Fix) -> Iterator[Touched]:
    for edit in fix.edits:
        for path in (edit.path, edit.to) if edit.action == "move" else (edit.path,):
            array = next((index for index, part in enumerate(path) if isinstance(part, int)), len(path))
            yield edit.source.logical, path if edit.action == "set" and array + 1 < len(path) else path[:array]


def _related(one: Touched, other: Touched) -> bool:
    (file, path), (other_file, other_path) = one, other
    shorter = min(len(path), len(other_path))
    return file == other_file and path[:shorter] == other_path[:shorter]
