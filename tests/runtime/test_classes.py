"""Classes of keys, held to trainings: a key that is not numerics leaves the losses, one that is changes them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tools.class_runs.page import row
from tools.class_runs.probing import ALLOWED, probes, unseen, verdict
from tools.class_runs.running import show
from tools.executed_keys import all_keys

SEED = 6
TRAINED = 10


def test_every_key_is_run_or_says_why_not() -> None:
    assert [
        key.dotted for key in all_keys() if not unseen(key) and key.dotted not in {p.key.dotted for p in probes()}
    ] == []
    assert len(list(probes())) > 150


def test_the_page_says_what_the_schema_does(repository: Path) -> None:
    page = (repository / "docs" / "classes.md").read_text(encoding="utf-8").splitlines()
    rows = {line.rsplit("|", 2)[0] + "|": line for line in page}
    assert [key.dotted for key in all_keys() if row(key) not in rows] == []
    assert [
        key.dotted for key in all_keys() if (why := unseen(key)) and not rows[row(key)].endswith(f"| {why} |")
    ] == []
    seen = {key.dotted: rows[row(key)].rsplit("|", 2)[1].strip(" *") for key in all_keys() if not unseen(key)}
    words = {"another curve": "different"}
    assert [
        k.dotted
        for k in all_keys()
        if k.dotted in seen and words.get(seen[k.dotted], seen[k.dotted]) not in ALLOWED[k.field_class]
    ] == []


def test_a_difference_of_losses_has_a_name() -> None:
    old = {"1": 2.0, "2": 1.5}
    assert verdict(old, dict(old)) == "equal"
    assert verdict(old, {"1": 2.0, "2": 1.5000001}) == "rounding"
    assert verdict(old, {"1": 2.0, "2": 1.6}) == "different"
    assert verdict(old, {"1": 2.0}) == "different"
    assert verdict(old, {"2": 1.5}, "tracking.log_every_steps") == "equal"


@pytest.mark.slow
def test_a_random_sample_of_keys_has_the_class_that_trainings_show(tmp_path: Path) -> None:
    sample = Random(SEED).sample(list(probes()), TRAINED)
    wrong = [(one.probe.key.dotted, one.verdict) for one in show(sample, tmp_path) if not one.holds]
    assert wrong == []
