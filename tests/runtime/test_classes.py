"""Classes of keys, held to trainings: a key that is not numerics leaves the losses, one that is changes them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from cfgc_runtime.data.order import HeldOutOrder
from tools.class_runs.page import row
from tools.class_runs.probing import ALLOWED, Probe, probes, unseen, verdict
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


def judged(size: int, most: int, ranks: int) -> list[int]:
    order = HeldOutOrder(1000, size, ranks)
    taken = [order.batch(index, rank)[0] for index in order.batches(most) for rank in range(ranks)]
    return [sample for batch in taken for sample in batch]


@pytest.mark.parametrize(("size", "most", "ranks"), [(4, 4, 1), (2, 8, 1), (2, 4, 2), (1, 4, 4)])
def test_what_is_judged_is_the_first_samples_as_many_as_sizes_batches_and_ranks_make(
    size: int, most: int, ranks: int
) -> None:
    assert judged(size, most, ranks) == list(range(16))
    assert judged(2 * size, most, ranks) == list(range(32))
    assert set(judged(size, 0, ranks)) == set(judged(2 * size, 0, ranks)) == set(range(1000))


@pytest.mark.slow
def test_another_size_of_few_batches_shows_another_judgement_and_the_same_curve(tmp_path: Path) -> None:
    key = next(key for key in all_keys() if key.dotted == "evaluation.micro_batch_size")
    shared = ("evaluation.every_steps=2", "evaluation.max_batches=1")
    [shown] = show([Probe(key, "evaluation.micro_batch_size=1", shared)], tmp_path)
    assert shown.verdict == "equal"
    one, other = ([json.loads(line) for line in path.open()] for path in tmp_path.glob("*/run/metrics.jsonl"))
    losses = [[line["eval_loss"] for line in lines if "eval_loss" in line] for lines in (one, other)]
    assert len(losses[0]) == len(losses[1]) == 3
    assert all(a != b for a, b in zip(*losses, strict=True))
