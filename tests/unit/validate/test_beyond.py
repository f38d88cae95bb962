"""A spec that the schema refuses is still judged as a whole, without false alarms that only follow from a mistake."""

from __future__ import annotations

import re

import pytest

from cfgc.schema.catalogue import catalogue
from tests.unit.schema.samples import found

GOOD = """
extends = "cfgc:bases/small.toml"
[overlays]
hardware = "a100-80gb"
zero = "2"
[experiment]
name = "x"
[launch]
gpus_per_node = 4
[training]
global_batch_size = 128
micro_batch_size = 8
learning_rate = 3e-4
max_steps = 1000
warmup_steps = 10
[[data.sources]]
name = "x"
path = "/data"
include = ["**/*.txt"]
"""


def test_the_good_spec_is_good() -> None:
    assert found(GOOD) == ()


def test_mistakes_of_every_kind_show_at_once() -> None:
    bad = (
        GOOD.replace("learning_rate", "lerning_rate")  # unknown key
        .replace("gpus_per_node = 4", 'gpus_per_node = 4\ntime_limit = "soon"')  # no duration
        .replace("warmup_steps = 10", "warmup_steps = 2000")  # longer than the run
        .replace("[experiment]", "[model]\nnum_heads = 7\n[experiment]")  # does not divide the width
        .replace("micro_batch_size = 8", "micro_batch_size = 7")  # does not divide the batch
    )
    assert sorted(d.code for d in found(bad)) == ["CFG301", "CFG308", "CFG403", "CFG410", "CFG420"]


@pytest.mark.parametrize("old", ["global_batch_size", "max_steps", "learning_rate", "gpus_per_node", "name", "sources"])
def test_a_misspelt_key_is_one_mistake(old: str) -> None:
    misspelt = old[:2] + old[3:]
    text = GOOD.replace(old, misspelt, 1) if old != "name" else GOOD.replace('name = "x"', 'nme = "x"', 1)
    assert {d.code for d in found(text)} <= {"CFG301", "CFG302"}


@pytest.mark.parametrize("key", [field.dotted for field in catalogue() if field.path[0] not in {"stages", "checks"}])
def test_a_value_of_no_use_is_one_mistake(key: str) -> None:
    """An array of arrays, in any key: every finding is about that key."""
    findings = found(GOOD, f"{key}=[[[]]]")
    assert findings
    assert all(key.rsplit(".", 1)[-1] in finding.message for finding in findings)


def test_an_expression_without_a_value_hides_no_other_mistake() -> None:
    bad = GOOD.replace("warmup_steps = 10", 'warmup_steps = "${training.max_step // 20}"')
    bad = bad.replace("micro_batch_size = 8", "micro_batch_size = 7").replace("learning_rate", "lerning_rate")
    assert sorted(d.code for d in found(bad)) == ["CFG205", "CFG301", "CFG403"]


def test_an_expression_over_a_bad_value_is_not_reported_too() -> None:
    bad = GOOD.replace("max_steps = 1000", 'max_steps = "1000"').replace("warmup_steps = 10\n", "")
    assert [d.code for d in found(bad)] == ["CFG305"]


@pytest.mark.parametrize(
    ("overrides", "code", "besides"),
    [
        (["training.precision=fp8"], "CFG451", {"CFG441"}),
        (["training.fp8.enabled=true"], "CFG451", {"CFG441", "CFG443"}),
        (["parallel.tensor_parallel=3"], "CFG452", {"CFG404"}),
        (["parallel.tensor_parallel=2", "parallel.pipeline_parallel=2"], "CFG452", {"CFG508"}),
    ],
)
def test_what_is_not_supported_is_said_once(overrides: list[str], code: str, besides: set[str]) -> None:
    mistakes = [finding for finding in found(GOOD, *overrides) if finding.code != "CFG444"]
    assert [finding.code for finding in mistakes] == [code]
    assert set(re.findall(r"CFG\d+", " ".join(mistakes[0].notes))) == besides


def test_an_unsupported_setting_hides_no_other_mistake() -> None:
    codes = [finding.code for finding in found(GOOD, "parallel.tensor_parallel=2", "training.warmup_steps=5000")]
    assert sorted(codes) == ["CFG420", "CFG452"]


def test_a_key_of_a_common_name_hides_nothing() -> None:
    bad = (
        GOOD.replace('name = "x"', 'name = "a b"', 1)
        .replace("[launch]", '[launch]\ntime_limit = "${training.nope}"')
        .replace("global_batch_size = 128", "global_batch_size = 500")
        .replace("micro_batch_size = 8", "micro_batch_size = 7")
        .replace("[experiment]", "[model]\nnum_heads = 7\n[experiment]")
    )
    assert sorted(d.code for d in found(bad)) == ["CFG205", "CFG312", "CFG403", "CFG410"]


@pytest.mark.parametrize(
    ("mistake", "codes"),
    [
        (('name = "x"', 'name = "a b"'), ["CFG312"]),
        (('name = "x"', 'title = "x"'), ["CFG301", "CFG302"]),
        (("[experiment]", '[model]\nnum_heads = "a"\n[experiment]'), ["CFG305"]),
        (('[[data.sources]]\nname = "x"', '[[data.sources]]\nnme = "x"'), ["CFG301"]),
        (('name = "x"', 'nme = "x"'), ["CFG301"]),
        (('path = "/data"', "path = 3"), ["CFG314"]),
        (('path = "/data"', 'path = "${DATA}/books"'), ["CFG205"]),
        (('hardware = "a100-80gb"', 'hardware = "a100-80g"'), ["CFG114"]),
        (('hardware = "a100-80gb"', 'hardwear = "a100-80gb"'), ["CFG113"]),
        (("[overlays]", 'unset = ["training.nope"]\n[overlays]'), ["CFG202"]),
    ],
)
def test_a_mistake_in_what_every_spec_needs_hides_no_other(mistake: tuple[str, str], codes: list[str]) -> None:
    bad = GOOD.replace(*mistake, 1).replace("warmup_steps = 10", "warmup_steps = 2000")
    assert sorted(d.code for d in found(bad)) == sorted([*codes, "CFG420"])


@pytest.mark.parametrize("option", ["2-offlod", "22"])
def test_an_overlay_that_is_missing_is_not_missed_by_the_rules(option: str) -> None:
    """The model fits only with a ZeRO overlay, which the spec does choose."""
    seven_billion = "[model]\nhidden_size = 4096\nnum_layers = 32\nnum_heads = 32\n[experiment]"
    large = GOOD.replace("[experiment]", seven_billion)
    assert [d.code for d in found(large.replace('zero = "2"', ""))] == ["CFG445"]
    large = large.replace('zero = "2"', f'zero = "{option}"')
    assert [d.code for d in found(large)] == ["CFG114"]


def test_override_targets_that_do_not_exist_hide_nothing() -> None:
    findings = found(GOOD.replace("warmup_steps = 10", "warmup_steps = 2000"), "**.nope=3", "model.num_kv_heads*=2")
    assert sorted(d.code for d in findings) == ["CFG123", "CFG124", "CFG420"]


def test_a_value_under_a_name_like_a_sections_takes_the_place_of_none() -> None:
    text = "dta = 2024-01-01\n" + GOOD.partition("[[data.sources]]")[0]
    assert {"CFG205", "CFG301"} <= {d.code for d in found(text, "model.num_layers=${model.none}")}


@pytest.mark.parametrize(
    ("text", "override", "codes"),
    [
        ('experiment = "${"\n', "tr\ufeff", {"CFG120", "CFG302"}),
        ('experiment = "${"\n[training]\nexperiment = 48\n', "tr\ufeff", {"CFG120", "CFG301"}),
        ('model = "x"\n[experiment]\nname = "x"\n', "model.num_layers=\r", {"CFG120", "CFG305"}),
    ],
)
def test_nothing_stands_in_below_a_text_that_is_no_section(text: str, override: str, codes: set[str]) -> None:
    assert codes <= {finding.code for finding in found(text, override)}
