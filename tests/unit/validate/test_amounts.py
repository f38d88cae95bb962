"""Amounts without a unit and words with blanks: every reading is offered, and none is taken for certain."""

from __future__ import annotations

import pytest

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import check_spec
from cfgc.validate.words import word_in
from tests.unit.sweep.specs import SHIPPED, TRAINING


def finding(entry: str) -> Diagnostic:
    text = TRAINING.replace("[launch]", f"[launch]\n{entry}")
    with pytest.raises(Rejected) as rejected:
        check_spec(MemoryReader({"spec.toml": text}, SHIPPED), "spec.toml", ())
    (found,) = rejected.value.diagnostics
    return found


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('time_limit = "24"', '`time_limit = "24h"`, `"24min"` or `"24s"`: hours, minutes (as sbatch reads it) or'),
        ('time_limit = "0.01"', '`time_limit = "0.01h"`: hours'),
        ('time_limit = "24:00"', '`time_limit = "24:00:00"` or `"00:24:00"`: hours and minutes, or minutes and'),
        ('timeout = "30"', '`timeout = "30s"`, `"30min"` or `"30h"`: seconds, minutes or hours'),
        ('time_limit = "1-12"', '`time_limit = "1-12:00:00"`'),
    ],
)
def test_what_could_be_meant_is_named_and_nothing_is_certain(entry: str, says: str) -> None:
    found = finding(entry)
    assert found.code == "CFG308"
    assert says in found.helps[0]
    assert found.fixes
    assert not any(fix.certain for fix in found.fixes)


def test_a_unit_that_is_spelt_otherwise_is_certain() -> None:
    assert finding('time_limit = "24 hours"').fixes[0].certain


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (" gpu ", "gpu"),
        ("'gpu'", "gpu"),
        ("gpu, long", "gpu,long"),
        ("--partition=gpu", "gpu"),
        ("-A lab", "lab"),
        ("team one", ""),
        ("$PARTITION", ""),
        ("--force", ""),
        ("a\\b", ""),
    ],
)
def test_a_word_is_what_stands_there_and_none_is_made_up(text: str, word: str) -> None:
    assert word_in(text) == word


def test_of_a_list_blanks_become_commas() -> None:
    assert word_in("n1 n[2-4]", is_list=True) == "n1,n[2-4]"
