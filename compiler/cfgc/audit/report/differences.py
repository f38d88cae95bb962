"""What differs from another bundle, as the page shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from cfgc.audit.comparing import WORST_FIRST, Change, Comparison
from cfgc.audit.comparison_words import meaning, origin_text, value_texts, verdict, why
from cfgc.audit.facts import Fact
from cfgc.audit.report.layers import Group
from cfgc.sweep.numbers import listed
from cfgc_runtime.values import DS_CONFIG, Kind


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
    """What changed of a class, or what changes nothing by itself: then there is no ``kind``."""

    kind: Kind | None
    meaning: str
    rows: tuple[ChangeRow, ...]
    facts: tuple[Fact, ...]

    @property
    def says_whence(self) -> bool:
        """Whether there is anything to say of where a value came from."""
        return any(row.origins or row.note for row in self.rows)


@dataclass(frozen=True)
class Uncompared:
    """There is no comparison with ``other``, and ``why``; ``word`` is the same for a table."""

    other: str
    word: Literal["new", "not compared"]
    why: str


@dataclass(frozen=True)
class Changes:
    """Everything that differs from ``other``; what changes nothing that runs is last. ``word`` is for a table."""

    other: str
    verdict: str
    word: str
    classes: tuple[ChangesOfClass, ...] = ()


Outcome: TypeAlias = Comparison | Uncompared
"""What comparing a bundle came to."""


def changes_of(outcome: Outcome, groups: Iterable[Group]) -> Changes:
    """What the page says of ``outcome``, whose new side has the values in ``groups``."""
    if isinstance(outcome, Uncompared):
        return Changes(outcome.other, f"{outcome.word}: {outcome.why}", outcome.word)
    anchors = {row.key: row.id for group in groups for row in group.rows}
    of_kinds = (_of_class(outcome, kind, anchors) for kind in WORST_FIRST)
    parts = (*of_kinds, _following(outcome), _of_class(outcome, None, anchors))
    told = tuple(one for one in parts if one.rows or one.facts)
    return Changes(outcome.old.name, verdict(outcome), outcome.worst or "none", told)


def of_stage(outcome: Outcome | None, stage: str) -> Outcome | None:
    """The part of a pipeline's ``outcome`` that is about ``stage``."""
    if not isinstance(outcome, Comparison):
        return outcome
    new = Uncompared(outcome.old.name, "new", f"the pipeline there has no stage {stage}")
    return (outcome.stages or {}).get(stage, new)


def _of_class(comparison: Comparison, kind: Kind | None, anchors: dict[str, str]) -> ChangesOfClass:
    changes = [*comparison.changes, *(comparison.ds_config if comparison.counts_ds_config else ())]
    rows = [_row(change, anchors) for change in changes if change.kind == kind]
    facts = tuple(fact for fact in comparison.facts if fact.kind == kind)
    said = meaning(comparison, kind) if kind else "what changes nothing that runs by itself"
    return ChangesOfClass(kind, said, (*rows, *_points(comparison, kind)), facts)


def _following(comparison: Comparison) -> ChangesOfClass:
    """What DeepSpeed is given otherwise, where that is a consequence."""
    changes = () if comparison.counts_ds_config else comparison.ds_config
    rows = [replace(_row(change, {}), key=change.key.removeprefix(DS_CONFIG)) for change in changes]
    return ChangesOfClass(None, "ds_config.json, which follows from these", tuple(rows), ())


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
