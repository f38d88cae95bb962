"""A ds_config against the table of its release, key by key."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import Entry, Path
from cfgc.deepspeed.reading_errors import byte_order_mark
from cfgc.deepspeed.structure import wording
from cfgc.deepspeed.structure.ages import drifted, old_spelling, refused
from cfgc.deepspeed.structure.autos import auto_findings, is_auto, not_plain
from cfgc.deepspeed.structure.names import siblings
from cfgc.deepspeed.structure.unknown import unknown_key, unused_key
from cfgc.deepspeed.structure.values import value_findings
from cfgc.deepspeed.structure.wording import Finding, dotted
from cfgc.deepspeed.table import MISSING, Key
from cfgc.diagnostics import Label

MOST = 100
"""Findings about keys after which no more are looked for: by then the file is something else."""


def structural_findings(case: Case) -> tuple[Finding, ...]:
    """What is wrong with single keys, whatever the others say."""
    found = [*_repeated(case)]
    if case.config.source.text.startswith("\ufeff"):
        found.append(Finding((), byte_order_mark(case.config.source)))
    stopped: set[Path] = set()
    for path, entry in case.config.entries.items():
        if any(path[:depth] in stopped for depth in range(1, len(path))):
            continue
        here = list(_key_findings(case, path, entry))
        found += here
        if any(finding.diagnostic.severity == "error" for finding in here):
            stopped.add(path)
        if len(found) >= MOST:
            break
    moved = {edit.to for finding in found for fix in finding.diagnostic.fixes for edit in fix.edits}
    return (*found, *drifted(case, moved), *not_plain(case))


def _key_findings(case: Case, path: Path, entry: Entry) -> Iterator[Finding]:
    key = case.release.key(path) or _unlisted(case, path)
    if key is None:
        yield from unknown_key(case, path, entry)
    elif key.refused:
        yield from refused(case, key)
    elif is_auto(key, entry.value):
        yield from auto_findings(case, key, path)
    else:
        found = list(value_findings(case, key, entry))
        yield from found or old_spelling(case, path, key, entry)
        yield from () if found else unused_key(case, key)


def _unlisted(case: Case, path: Path) -> Key | None:
    """A key of a table that takes any; what it means is for the rules."""
    if len(path) == 1:
        return None
    above = case.release.key(path[:-1])
    any_key = above is None or above.free or not above.kinds
    if above and not above.closed and "table" in above.kinds:
        any_key = any_key or not siblings(case, path[:-1])
    return Key(path, frozenset(), MISSING, free=True) if any_key else None


def _repeated(case: Case) -> Iterator[Finding]:
    for path, first in case.config.repeated[:MOST]:
        yield wording.said(
            "CFG546",
            path,
            f"`{dotted(path)}` is written twice: DeepSpeed {case.release.version} stops at it",
            wording.key_label(case, path, "again here"),
            secondary=(Label(first, "first written here"),),
            helps=("keep one of the two",),
        )
