"""What differs from another bundle, as the page shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cfgc.audit.comparing import WORST_FIRST, Change, Comparison
from cfgc.audit.comparison_words import meaning, origin_text, value_texts, verdict, why
from cfgc.audit.facts import Fact
from cfgc.audit.report.layers import Group
from cfgc.sweep.numbers import listed
from cfgc_runtime.values import Kind


@dataclass(frozen=True)
class ChangeRow:
    """A value before and after; ``anchor`` is its row among the values, empty where it is gone."""

    key: str
    before: str
    after: str
    origins: tuple[str, ...]
    note: str
    anchor: str


@dataclass(frozen=True)
class ChangesOfClass:
    """What changed of a class."""

    kind: Kind | None
    meaning: str
    rows: tuple[ChangeRow, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Changes:
    """Everything that differs from ``other``; what changes nothing that runs is last."""

    other: str
    verdict: str
    worst: Kind | None
    classes: tuple[ChangesOfClass, ...]


def changes_of(comparison: Comparison, groups: Iterable[Group]) -> Changes:
    """What the page says of ``comparison``, whose new side has the values in ``groups``."""
    anchors = {row.key: row.id for group in groups for row in group.rows}
    kinds: tuple[Kind | None, ...] = (*WORST_FIRST, None)
    found = [_of_class(comparison, kind, anchors) for kind in kinds]
    said = verdict(comparison)
    return Changes(comparison.old.name, said, comparison.worst, tuple(one for one in found if one.rows or one.facts))


def _of_class(comparison: Comparison, kind: Kind | None, anchors: dict[str, str]) -> ChangesOfClass:
    changes = [*comparison.changes, *(comparison.ds_config if comparison.counts_ds_config else ())]
    rows = [_row(change, anchors) for change in changes if change.kind == kind]
    facts = tuple(fact for fact in comparison.facts if fact.kind == kind)
    said = meaning(comparison, kind) if kind else "nothing that runs is another"
    return ChangesOfClass(kind, said, (*rows, *_points(comparison, kind)), facts)


def _row(change: Change, anchors: dict[str, str]) -> ChangeRow:
    before, after = value_texts(change.old, change.new)
    origins = dict.fromkeys(text for text in map(origin_text, (change.old_steps, change.new_steps)) if text)
    note = why(change) if change.follows else ""
    return ChangeRow(change.key, before, after, () if note else tuple(origins), note, anchors.get(change.key, ""))


def _points(comparison: Comparison, kind: Kind | None) -> Iterator[ChangeRow]:
    for point in comparison.points:
        one = point.difference
        if one.kind == kind:
            yield ChangeRow(one.key, *value_texts(one.old, one.new), (), f"points {listed(point.points)}", "")
