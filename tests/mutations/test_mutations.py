"""Single mistakes in good files, drawn with a seed of their own: found, at the right place, and mended by the help."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from tools.mutations.__main__ import mutations
from tools.mutations.operators import OPERATORS, Operator
from tools.mutations.subjects import Subject, ds_configs, specs
from tools.mutations.verdict import Verdict, judged, quiet_of

GROUPS = {"specs": specs(), "ds_configs": ds_configs()}
COUNT = 100


@pytest.fixture(scope="module", params=sorted(GROUPS))
def verdicts(request: pytest.FixtureRequest) -> Sequence[Verdict]:
    subjects = GROUPS[request.param]
    calm = {subject.name: quiet_of(subject)[0] for subject in subjects}
    return [judged(mutation, calm[mutation.subject.name]) for mutation in mutations(7, COUNT, subjects)]


@pytest.mark.parametrize("subject", [s for group in GROUPS.values() for s in group], ids=lambda s: s.name)
def test_good_files_have_no_errors(subject: Subject) -> None:
    assert quiet_of(subject)[1] == ()


def test_nothing_crashes(verdicts: Sequence[Verdict]) -> None:
    assert [v.crashed for v in verdicts if v.crashed] == []


def test_mistakes_are_found(verdicts: Sequence[Verdict]) -> None:
    missed = [f"{v.mutation.subject.name}: {v.mutation.said}" for v in verdicts if not v.diagnosed]
    assert len(missed) <= COUNT // 50, missed


def test_they_are_shown_where_they_are(verdicts: Sequence[Verdict]) -> None:
    elsewhere = [f"{v.mutation.subject.name}: {v.mutation.said}" for v in verdicts if v.diagnosed and not v.placed]
    assert len(elsewhere) <= COUNT // 50, elsewhere


def test_the_help_mends_them(verdicts: Sequence[Verdict]) -> None:
    left = [f"{v.mutation.subject.name}: {v.mutation.said}" for v in verdicts if v.diagnosed and not v.mended]
    assert len(left) <= COUNT // 33, left


def test_the_same_seed_draws_the_same() -> None:
    first, second = (mutations(3, 50, GROUPS["ds_configs"]) for _ in range(2))
    assert [m.said for m in first] == [m.said for m in second]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__)
def test_each_operator_changes_one_key(operator: Operator) -> None:
    drawn = [operator(Random(number), subject) for number in range(40) for subject in GROUPS["ds_configs"]]
    changed = [mutation for mutation in drawn if mutation]
    assert changed
    assert [m.said for m in changed if repr(m.tree) == repr(m.subject.tree)] == []
