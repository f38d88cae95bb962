"""What is said to differ between two sweeps: points that came, went, and changed."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from cfgc.audit.comparing import Comparison, compare_bundles
from cfgc.audit.comparison_text import comparison_text
from cfgc_runtime.values import Kind
from tests.unit.audit.comparisons import PLAIN, SPEC, STOPPING, about, compiled, edited

GRID = '[sweep]\nmethod = "grid"\n[sweep.parameters]\n'


def swept(old: str, new: str) -> Comparison:
    text = SPEC + GRID
    return compare_bundles(compiled(text + old), compiled(text + new))


def test_points_that_came_went_and_have_another_number() -> None:
    found = swept("training.learning_rate = [1e-3, 2e-3, 3e-3]", "training.learning_rate = [3e-3, 4e-3, 2e-3]")
    facts = {fact.text: fact for fact in found.facts if fact.subject == "points"}
    assert list(facts) == ["1 point gone", "1 point new", "2 points of another number"]
    assert facts["1 point gone"].details == ("0 (training.learning_rate=1e-3)",)
    assert facts["1 point new"].details == ("1 (training.learning_rate=4e-3)",)
    assert facts["2 points of another number"].details[0] == "2 → 0 (training.learning_rate=3e-3)"
    assert not found.changes
    assert [fact.kind for fact in facts.values()] == ["numerics", "numerics", "logistics"]
    assert found.is_worse_than_allowed("numerics")


RATES = "training.learning_rate = [1e-3, 2e-3]"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (RATES, "training.learning_rate = [1e-3, 2e-3, 3e-3]", "resources"),
        (RATES, "training.learning_rate = [2e-3]", "resources"),
        (RATES, "training.learning_rate = [1e-3, 3e-3, 4e-3]", "numerics"),
        ("training.learning_rate = [1e-3]", "training.learning_rate = [3e-3]", "numerics"),
        (RATES, f"{RATES}\ntraining.micro_batch_size = [1, 2]", "resources"),
        (RATES, f"{RATES}\ntracking.log_every_steps = [1, 2]", "resources"),
        (RATES, f"{RATES}\nexperiment.seed = [1, 2]", "numerics"),
        ('zero = ["0", "1"]', 'zero = ["0", "2"]', "resources"),
        ("training.micro_batch_size = [1, 2]", "training.micro_batch_size = [1, 4]", "resources"),
        ("tracking.log_every_steps = [1, 2]", "tracking.log_every_steps = [1, 4]", "logistics"),
    ],
)
def test_points_that_are_others_have_the_class_of_what_they_set_otherwise(old: str, new: str, kind: Kind) -> None:
    found = swept(old, new)
    named = [fact for fact in found.facts if fact.text.endswith((" gone", " new"))]
    assert {fact.kind for fact in named} == {kind}
    assert swept(new, old).worst == found.worst


def test_points_that_are_shuffled_pairs_are_other_runs() -> None:
    pairs = SPEC + '[sweep]\nmethod = "list"\npoints = [{points}]\n'
    point = '{{ "training.learning_rate" = {}, "experiment.seed" = {} }}'
    old, new = (
        compiled(pairs.replace("{points}", ", ".join(point.format(*pair) for pair in of)))
        for of in ((("1e-3", 1), ("2e-3", 2)), (("1e-3", 2), ("2e-3", 1)))
    )
    assert compare_bundles(old, new).worst == "numerics"


@pytest.mark.parametrize("new", ["training.learning_rate = [1e-3, 2e-3, 3e-3]", "training.learning_rate = [1e-3]"])
def test_more_points_promise_the_curve_of_those_that_stay_alone(new: str) -> None:
    said = comparison_text(swept(RATES, new))
    assert "resources: memory, speed or cost, and the same loss curve of each point that both sides have\n" in said


def test_a_point_that_is_compiled_otherwise_is_the_compilers() -> None:
    sweep = compiled(SPEC + GRID + "training.learning_rate = [1e-3, 2e-3]")
    lines = sweep.files[PurePosixPath("points.jsonl")].decode().replace('"config":{"PLAN', '"config":{"SEED":3,"PLAN')
    found = compare_bundles(sweep, edited(sweep, {"points.jsonl": lines}))
    assert about(found, "compiler").kind == "numerics"


def test_a_change_of_some_points_names_them() -> None:
    parameters = 'training.warmup_steps = ["${training.max_steps // 24}", 3, "${training.max_steps // 12}"]'
    old = SPEC + GRID + parameters
    found = compare_bundles(compiled(old), compiled(old.replace("= 240", "= 480")))
    assert [change.key for change in found.changes if change.kind == "numerics"] == ["training.max_steps"]
    said = [(str(one.difference), one.points) for one in found.points if one.difference.kind == "numerics"]
    assert said == [("training.warmup_steps: 10 → 20", (0,)), ("training.warmup_steps: 20 → 40", (2,))]
    assert "training.warmup_steps: 20 → 40  (point 2)" in comparison_text(found)


def test_a_run_that_became_a_sweep_has_new_points() -> None:
    found = compare_bundles(PLAIN, compiled(SPEC + GRID + "training.learning_rate = [1e-3, 2e-3]"))
    assert "2 points new" in [fact.text for fact in found.facts]


def test_evaluations_that_end_the_points_of_a_sweep_count_too() -> None:
    text = STOPPING + GRID + RATES
    found = compare_bundles(compiled(text), compiled(text, "training.micro_batch_size=2"))
    assert about(found, "early stopping").kind == "numerics"
