from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.schema.catalogue import catalogue
from cfgc.schema.spec import Spec
from tests.unit.schema.samples import GOOD, checked, only, said

JUNK = (
    *("0", "-1", "1.5", "1e18", "9223372036854775807", "true", '""', '"x"', '"a b"', '"${1}"', '"../x"', '"\\u0000"'),
    *("[]", "[1]", '["a"]', "[{}]", "{}", "{a=1}", '{name="a",path="b"}', "1979-05-27", '"999999999999999999PiB"'),
)


def test_derived_values_are_left_to_lowering() -> None:
    spec = checked().spec
    assert isinstance(spec, Spec)
    assert spec.training.gradient_accumulation_steps is None
    assert spec.model.num_kv_heads is None
    assert spec.data.shuffle_seed is None
    assert spec.launch.run_dir is None


def test_units_become_numbers() -> None:
    spec = checked('[launch]\ntime_limit = "1-12:00:00"\n[hardware]\nmemory = "80GiB"\n').spec
    assert spec.launch.time_limit == 129_600
    assert spec.hardware.memory == 80 * 1024**3


def test_an_integral_float_is_an_integer() -> None:
    spec = checked("", ["training.max_steps=1e3"]).spec
    assert isinstance(spec, Spec)
    assert spec.training.max_steps == 1000
    assert isinstance(spec.training.max_steps, int)


@pytest.mark.parametrize("value", ["true", '"20"', "20.5", "[20]"])
def test_nothing_else_is(value: str) -> None:
    finding = only(said("", [f"training.max_steps={value}"]))
    assert (finding.code, finding.message) == ("CFG305", "`training.max_steps` wants an integer")


@pytest.mark.parametrize(
    ("key", "value", "write"),
    [
        ("model.num_heads", "0", "`model.num_heads=1` on the command line"),
        ("model.num_kv_heads", "-3", "`model.num_kv_heads=3` on the command line"),
        ("experiment.seed", "8589934592", "`experiment.seed=4294967295` on the command line"),
        ("training.warmup_steps", "-1", "`training.warmup_steps=0` on the command line"),
        ("training.learning_rate", "20", "`training.learning_rate=10` on the command line"),
        ("training.learning_rate", "0", "a number > 0 and ≤ 10"),
        ("launch.time_limit", "0", 'a duration such as `"90min"`'),
    ],
)
def test_a_number_out_of_range_is_offered_the_nearest_one(key: str, value: str, write: str) -> None:
    finding = only(said("", [f"{key}={value}"]))
    assert (finding.code, finding.helps[0]) == ("CFG306", f"write {write}")


@pytest.mark.parametrize(
    ("value", "base", "name", "path"),
    [
        ('"runs/a"', "cwd", "", "runs/a"),
        ('"/scratch/a"', "absolute", "", "/scratch/a"),
        ('{ env = "SCRATCH", path = "runs" }', "env", "SCRATCH", "runs"),
        ('{ env = "SCRATCH" }', "env", "SCRATCH", "."),
    ],
)
def test_paths_of_the_node(value: str, base: str, name: str, path: str) -> None:
    run_dir = checked(f"[launch]\nrun_dir = {value}\n").spec.launch.run_dir
    assert run_dir
    assert (run_dir.base, run_dir.name, run_dir.path) == (base, name, path)


@pytest.mark.parametrize(
    "value",
    ['""', '"~/a"', '"../a"', '"a/../../b"', '{ env = "A", path = "/b" }', '{ env = "A", stdlib = true }', "{}", "3"],
)
def test_a_path_that_is_none(value: str) -> None:
    assert only(said(f"[[data.sources]]\nname = 'a'\npath = {value}\n")).code in {"CFG314", "CFG302"}


def test_a_run_does_not_write_to_the_library() -> None:
    assert only(said("[launch]\nrun_dir = { stdlib = true }\n")).code == "CFG314"


def test_a_choice_is_exact_about_types() -> None:
    assert only(said("[deepspeed.zero]\nstage = true\n")).code == "CFG307"
    assert only(said('[deepspeed.zero]\nstage = "3"\n')).code == "CFG307"


def test_the_place_is_the_value_and_names_its_layer() -> None:
    base = '[training]\nprecision = "fp17"\n'
    finding = only(said('extends = ["good.toml", "team.toml"]\n', files={"team.toml": base}))
    assert finding.primary
    assert finding.primary.span.text == '"fp17"'
    assert str(finding.primary.span) == "team.toml:2:13"
    assert "from the base team.toml" in finding.primary.text


def test_the_place_inside_an_array_of_tables() -> None:
    finding = only(said('[[data.sources]]\nname = "a"\npath = "b"\nwieght = 2\n'))
    assert finding.code == "CFG301"
    assert finding.message == "unknown key `data.sources[0].wieght`"
    assert finding.primary
    assert finding.primary.span.line == 5
    assert "`weight`" in finding.primary.text


def test_an_unknown_key_inside_an_inline_table_is_shown_there() -> None:
    finding = only(said("[data]\nsources = [{ name = 'a', path = 'b', foo = 1 }]\n"))
    assert finding.primary
    assert finding.primary.span.text in {"1", "foo"}


def test_a_missing_key_that_was_unset_points_there() -> None:
    finding = only(said("extends = 'good.toml'\nunset = ['model.num_heads']\n"))
    assert (finding.code, finding.message) == ("CFG302", "missing required key `model.num_heads`")
    assert finding.primary
    assert finding.primary.span.source.logical == "spec.toml"
    assert finding.primary.span.text == "'model.num_heads'"


def test_an_outcome_of_an_expression_is_shown_with_it() -> None:
    finding = only(said('[training]\nlearning_rate = "${training.max_steps * 10}"\n'))
    assert finding.code == "CFG306"
    assert finding.notes[-1] == '`"${training.max_steps * 10}"` is 200'


def test_findings_come_in_the_order_of_the_file() -> None:
    findings = said('[training]\nlr = 1\nmax_steps = "x"\n[model]\nnum_heads = 0\n')
    assert [d.primary.span.line for d in findings if d.primary] == [3, 4, 6]


def test_what_the_schema_refuses_keeps_the_rules_quiet() -> None:
    assert {d.code for d in said("[training]\nmicro_batch_size = 0\nglobal_batch_size = 7\n")} == {"CFG306"}


def test_unsupported_settings_of_one_table_are_one_finding() -> None:
    finding = only(said("[training.fp8]\nenabled = true\nmargin = 1\n"))
    assert finding.code == "CFG451"
    assert len(finding.secondary) == 1


def test_a_setting_that_is_off_is_accepted() -> None:
    assert said("[model]\nuse_rag = false\n[model.moe]\nnum_experts = 0\n[tracking]\nwandb = false\n") == ()


@pytest.mark.covers("checks.allow", "checks.deny_warnings")
def test_a_warning_can_be_waived_with_a_reason_and_denied() -> None:
    zero = "[deepspeed.zero]\nstage = 1\n"
    code = only(said(zero)).code
    assert only(said(zero)).severity == "warning"
    assert said(f'{zero}[checks]\nallow = {{ {code} = "a rehearsal" }}\n') == ()
    assert only(said(f"{zero}[checks]\ndeny_warnings = true\n")).severity == "error"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([field.dotted for field in catalogue()]), st.sampled_from(JUNK))
def test_any_value_for_any_key_is_taken_or_refused_with_a_place(key: str, value: str) -> None:
    for finding in said("", [f"{key}={value}"]):
        assert finding.primary
        assert finding.message
        assert not finding.message.endswith(".")
        assert finding.helps or not finding.code.startswith("CFG3")


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=20))
def test_any_text_as_a_name_is_taken_or_refused(name: str) -> None:
    import json

    spec = GOOD.replace('name = "good"', f"name = {json.dumps(name)}")
    for finding in said("extends = 'odd.toml'\n", files={"odd.toml": spec}):
        assert finding.code.startswith("CFG")
