"""Whatever is read, the outcome is a bundle or findings: never another exception, and twice the same.

A fixed number of cases, the same in every run; `python tools/fuzz.py` runs as many as one has time for.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.cases import draw_config, draw_spec, judge_config, judge_spec

CASES = settings(max_examples=400, derandomize=True, deadline=None, database=None)


@CASES
@given(st.randoms(use_true_random=False))
def test_a_spec_becomes_a_bundle_or_findings(random: Random) -> None:
    assert judge_spec(draw_spec(random)) in {"holds", "rejected"}


@CASES
@given(st.randoms(use_true_random=False))
def test_a_ds_config_becomes_findings(random: Random) -> None:
    assert judge_config(draw_config(random)) in {"holds", "rejected"}


def test_both_outcomes_are_met() -> None:
    """Cases that were all refused at once would prove nothing of what comes behind."""
    specs = {judge_spec(draw_spec(Random(f"both:{number}"))) for number in range(60)}
    configs = {judge_config(draw_config(Random(f"both:{number}"))) for number in range(60)}
    assert specs == configs == {"holds", "rejected"}
