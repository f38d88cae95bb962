"""What is said of single keys, and what the fix of it makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.deepspeed.as_read import as_read
from cfgc.deepspeed.config import Path
from cfgc.deepspeed.judge import judge_config
from cfgc.deepspeed.releases import release
from cfgc.deepspeed.structure import MOST, structural_findings
from cfgc.diagnostics import Diagnostic
from cfgc.fixing.apply import apply_edits
from tests.unit.deepspeed.checking import case_of, errors, marked, said

GOOD = {"train_batch_size": 8, "gradient_clipping": 1.0}


def text_of(tree: dict[str, Any]) -> str:
    return json.dumps({**GOOD, **tree}, indent=2)


def one(tree: dict[str, Any], version: str = "0.19.8") -> Diagnostic:
    """The only finding about ``tree``, added to a config that holds."""
    (finding,) = [found for found in said(text_of(tree), version) if found.code != "CFG557"]
    return finding


def mended(tree: dict[str, Any], version: str = "0.19.8") -> dict[str, Any]:
    """What the first fix of the only finding makes of ``tree``, without what it was added to."""
    finding = one(tree, version)
    fixed: dict[str, Any] = json.loads(apply_edits(text_of(tree), finding.fixes[0].edits, "json"))
    assert not errors(json.dumps(fixed), version)
    return {key: value for key, value in fixed.items() if GOOD.get(key) != value}


def test_a_good_config_has_no_finding() -> None:
    assert said(text_of({"zero_optimization": {"stage": 2}, "fp16": {"enabled": True}})) == ()


@pytest.mark.parametrize(
    ("wrong", "code", "right"),
    [
        ({"gradient_acumulation_steps": 4}, "CFG547", {"gradient_accumulation_steps": 4}),
        ({"zero_optimisation": {"stage": 1}}, "CFG547", {"zero_optimization": {"stage": 1}}),
        ({"zero_optimization": {"stag": 1}}, "CFG547", {"zero_optimization": {"stage": 1}}),
        ({"Steps-Per-Print": 4}, "CFG547", {"steps_per_print": 4}),
        ({"st\u0435ps_per_print": 4}, "CFG547", {"steps_per_print": 4}),
        ({"\u00a0steps_per_print": 4}, "CFG547", {"steps_per_print": 4}),
        ({"bp16": {"enabled": True}}, "CFG547", {"bf16": {"enabled": True}}),
        ({"pipeline": {"stages": 4}}, "CFG547", {"pipeline": {}}),
        ({"nothing_like_it": 4}, "CFG547", {}),
        ({"overlap_comm": True}, "CFG548", {"zero_optimization": {"overlap_comm": True}}),
        ({"lr_grouping": 1, "_comment": "a remark"}, "CFG547", {"_comment": "a remark"}),
        ({"zero_stage": 1}, "CFG552", {"zero_optimization": {"stage": 1}}),
        ({"output_dir": "out"}, "CFG552", {}),
        ({"bf16": {"enabled": False, "loss_scale": 0}}, "CFG552", {"bf16": {"enabled": False}}),
        ({"dump_state": "true"}, "CFG550", {"dump_state": True}),
        ({"fp16": True}, "CFG550", {"fp16": {"enabled": True}}),
        ({"steps_per_print": [10]}, "CFG550", {"steps_per_print": 10}),
        ({"steps_per_print": {}}, "CFG550", {}),
        ({"fp16": {"min_loss_scale": 0.9}}, "CFG550", {"fp16": {"min_loss_scale": 1}}),
        ({"fp16": {"min_loss_scale": 0.5}}, "CFG550", {"fp16": {"min_loss_scale": 1}}),
        ({"bfloat16": None}, "CFG550", {}),
        ({"zero_optimization": {"stage": 4}}, "CFG551", {"zero_optimization": {"stage": 3}}),
        ({"communication_data_type": "float16"}, "CFG551", {"communication_data_type": "fp16"}),
        ({"amp": {"enabled": True}}, "CFG554", {}),
        ({"bfloat16": {"enabled": False}}, "CFG555", {"bf16": {"enabled": False}}),
        ({"zero_optimization": False}, "CFG555", {"zero_optimization": {"stage": 0}}),
    ],
)
def test_a_single_mistake_is_one_finding_and_its_fix_mends_it(
    wrong: dict[str, Any], code: str, right: dict[str, Any]
) -> None:
    assert one(wrong).code == code
    assert mended(wrong) == right


def test_the_name_is_marked_of_a_key_that_nothing_reads() -> None:
    assert marked(one({"zero_optimization": {"stag": 1}})) == '"stag"'


def test_the_whole_entry_is_marked_of_a_value_that_is_wrong() -> None:
    assert marked(one({"zero_optimization": {"stage": 4}})) == '"stage": 4'


def test_a_look_alike_letter_is_named() -> None:
    assert "cyrillic small letter ie" in one({"st\u0435ps_per_print": 4}).notes[0]


def test_the_key_that_was_meant_is_shown_when_it_is_written_too() -> None:
    (finding,) = said(text_of({"zero_optimization": {"stag": 1, "stage": 1}}))
    assert [label.span.text for label in finding.secondary] == ['"stage"']
    assert apply_edits('{"zero_optimization": {"stag": 1, "stage": 1}}', finding.fixes[0].edits, "json") == (
        '{"zero_optimization": {"stage": 1}}'
    )


@pytest.mark.parametrize("remark", ["_comment", "__note", "//", "#", "$schema", "comment", "comments"])
def test_remarks_are_let_be_where_deepspeed_ignores_them(remark: str) -> None:
    assert said(text_of({remark: "for the large model"})) == ()
    assert errors(text_of({"fp16": {remark: "half"}})) == ["CFG547"]


@pytest.mark.parametrize(
    ("written", "read", "severity"), [("2", 2, "warning"), ("0", 0, "warning"), (True, 1, "error")]
)
def test_what_a_model_converts_is_shown(written: object, read: int, severity: str) -> None:
    (finding,) = [d for d in said(text_of({"zero_optimization": {"stage": written}})) if d.code == "CFG550"]
    assert finding.severity == severity
    assert finding.fixes[0].edits[0].value == read
    assert as_read(case_of({"zero_optimization": {"stage": written}}), ()).integer("zero_optimization.stage") == read


def test_a_switch_is_no_size() -> None:
    found = said(text_of({"zero_optimization": {"allgather_bucket_size": False}}))
    (finding,) = [d for d in found if d.code == "CFG550"]
    assert (finding.severity, finding.fixes[0].certain) == ("error", False)
    assert finding.fixes[0].edits[0].value == 500_000_000


def test_a_key_is_too_new_for_an_old_release() -> None:
    finding = one({"torch_autocast": {"enabled": False}}, "0.16.9")
    assert (finding.code, "0.17.2" in finding.message) == ("CFG553", True)
    assert said(text_of({"torch_autocast": {"enabled": False}})) == ()


def test_a_key_that_came_back_is_not_said_to_be_gone_for_good() -> None:
    finding = one({"compile": {"deepcompile": True}}, "0.14.5")
    assert "read by no DeepSpeed from 0.14.4 until 0.16.6" in finding.message


def test_a_key_has_another_name_in_an_older_release() -> None:
    finding = one({"aio": {"intra_op_parallelism": 4}}, "0.14.0")
    assert "`aio.thread_count`" in finding.message
    assert mended({"aio": {"intra_op_parallelism": 4}}, "0.14.0") == {"aio": {"thread_count": 4}}


def test_a_key_was_removed_from_later_releases() -> None:
    elasticity = {"elasticity": {"enabled": False}}
    assert errors(text_of(elasticity), "0.16.9") == []
    assert errors(text_of(elasticity)) == ["CFG554"]


def test_deprecated_and_new_together_stop_deepspeed() -> None:
    tree = {"zero_optimization": {"stage": 2, "cpu_offload": False, "offload_optimizer": {"device": "none"}}}
    assert "CFG556" in errors(text_of(tree))


def test_defaults_that_changed_are_one_warning() -> None:
    tree = {"train_batch_size": 8, "zero_optimization": {"stage": 3, "offload_optimizer": {"device": "cpu"}}}
    (finding,) = said(json.dumps(tree))
    assert (finding.code, finding.severity) == ("CFG557", "warning")
    names = ["gradient_clipping", "zero_optimization.offload_optimizer.pin_memory"]
    assert [name in finding.message for name in names] == [True, True]
    assert any("0.0 before 0.19.3, 1.0 since 0.19.3" in note for note in finding.notes)


def test_a_default_of_a_section_that_is_off_does_not_matter() -> None:
    assert said(text_of({"zero_optimization": {"stage": 3, "offload_optimizer": {"device": "none"}}})) == ()


def test_auto_is_no_error_anywhere() -> None:
    keys = [path for path, key in release("0.19.8").keys.items() if not (key.refused or key.unread)]
    for path in keys:
        found = structural_findings(case_of({**GOOD, **_nested(path, "auto")}))
        assert all(finding.diagnostic.severity == "warning" for finding in found), path


def test_auto_is_a_warning_where_nobody_fills_it_in() -> None:
    assert one({"steps_per_print": "auto"}).code == "CFG559"
    filled = {"fp16": {"enabled": "auto"}, "scheduler": {"params": {"warmup_max_lr": "auto"}}}
    assert structural_findings(case_of({**GOOD, **filled})) == ()


def test_auto_beside_a_remark_is_for_nobody() -> None:
    text = '{"train_batch_size": "auto", "gradient_clipping": 1.0 // a remark\n}'
    assert [finding.code for finding in said(text)] == ["CFG558"]


def test_an_error_silences_what_rules_say_of_the_key() -> None:
    assert errors(text_of({"optimizer": {"type": 5, "params": {}}})) == ["CFG550"]


def test_a_wrong_section_is_one_finding() -> None:
    found = errors(text_of({"zero_optimisations": {"stage": 7, "what": {"is": "this"}}}))
    assert found == ["CFG547"]


def test_a_file_of_nothing_but_mistakes_ends_somewhere() -> None:
    assert len(said(json.dumps({f"key{number}": number for number in range(5000)}))) <= 2 * MOST


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["auto", "cpu", "nvme", "Adam", "x", "1", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["device", "enabled", "type"]), inner),
    max_leaves=4,
)
PATHS = st.sampled_from([*release("0.19.8").keys, ("no", "such"), ("optimizer", "params", "lr"), ("",), ("a.b", "*")])


def _nested(path: Path, value: Any) -> dict[str, Any]:
    for part in reversed(path):
        value = {part: value}
    return dict(value)


def _merged(trees: Iterator[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            both = isinstance(value, dict) and isinstance(whole.get(key), dict)
            whole[key] = _merged(iter((whole[key], value))) if both else value
    return whole


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(PATHS, VALUES), max_size=8), st.sampled_from(["0.12.0", "0.16.9", "0.19.8"]))
def test_no_tree_is_too_strange(keys: list[tuple[Path, Any]], version: str) -> None:
    for finding in judge_config(case_of(_merged(_nested(path, value) for path, value in keys), version, 8)):
        assert finding.primary is None or finding.primary.span.end <= len(finding.primary.span.source.text)
