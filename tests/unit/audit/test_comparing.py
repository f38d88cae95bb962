"""What is said to differ between two bundles, and of which class."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from random import Random

import pytest

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.comparing import compare_bundles
from cfgc.audit.comparison_json import comparison_data
from cfgc.audit.comparison_md import comparison_md
from cfgc.audit.comparison_text import comparison_text
from cfgc.diagnostics import Rejected
from cfgc.schema.catalogue import schema_fields
from cfgc_runtime.values import Kind
from tests.unit.audit.changes import base, draws
from tests.unit.audit.comparisons import PLAIN, SPEC, STOPPING, about, by_key, compared, compiled, edited

NUMERICS: tuple[Kind, ...] = ("numerics",)

JUDGING = {
    "evaluation.every_steps", "evaluation.max_batches", "evaluation.micro_batch_size", "launch.nodes",
    "launch.gpus_per_node",
}  # fmt: skip
"""What decides when a training is judged, and by how many samples."""


def classes_hold(count: int, seed: int) -> None:
    """Each of ``count`` random changes of one key has the declared class, and nothing else is called a change."""
    for draw in draws(Random(seed), count):
        comparison = compare_bundles(base(draw.spec), draw.bundle)
        of_key = [one for one in comparison.changes if f"{one.key}.".startswith(f"{draw.key}.")]
        declared = schema_fields()[tuple(draw.key.split("."))].field_class
        said = f"{draw.spec} {draw.key}={draw.text}"
        assert {one.kind for one in of_key} == {declared}, said
        assert [one.key for one in comparison.changes if not one.follows and one not in of_key] == [], said
        stopping = [fact for fact in comparison.facts if fact.subject == "early stopping"]
        assert {fact.kind for fact in comparison.facts if fact not in stopping} <= {None}, said
        assert not stopping or JUDGING & {one.key for one in comparison.changes}, said
        assert not stopping or declared != "numerics", said
        assert comparison.is_worse_than_allowed(declared), said


def test_a_random_change_of_a_key_has_the_declared_class() -> None:
    classes_hold(6, seed=1)


@pytest.mark.slow
def test_two_hundred_random_changes_have_the_declared_class() -> None:
    classes_hold(200, seed=2)


def test_equal_bundles_are_the_same_and_pass_every_gate() -> None:
    found = compared()
    assert found.is_same
    assert not found.counts
    assert not found.is_worse_than_allowed("logistics")
    assert "the same, byte for byte" in comparison_text(found)


def test_both_origins_and_what_follows() -> None:
    found = by_key(compared("training.max_steps=480", "experiment.name=b"))
    steps = found["training.max_steps"]
    assert (steps.old, steps.new, steps.kind, steps.follows) == (240, 480, "numerics", "")
    assert steps.old_steps[0] == {"layer": "spec a.toml", "value": 240}
    assert [step["layer"] for step in steps.new_steps][:2] == ["command line", "spec a.toml"]
    assert found["training.warmup_steps"].follows == "${training.max_steps // 24}"
    assert found["launch.run_dir"].follows == "runs/ and experiment.name"
    assert found["experiment.name"].kind == "logistics"


def test_what_nobody_set_comes_and_goes_with_its_table() -> None:
    assert by_key(compared("training.scheduler.type=polynomial"))["training.scheduler.power"].follows == "default"
    found = by_key(compared('training.optimizer.type="sgd"'))
    assert found["training.optimizer.momentum"].follows == "training.optimizer.type sgd"
    assert not found["training.optimizer.type"].follows


def test_a_value_that_replaces_an_expression_does_not_follow_it() -> None:
    assert by_key(compared("training.warmup_steps=7"))["training.warmup_steps"].follows == ""


@pytest.mark.parametrize(
    ("override", "refused"),
    [
        ("training.learning_rate=2e-3", {"numerics", "resources", "logistics"}),
        ("zero=3", {"resources", "logistics"}),
        ("experiment.description=x", {"logistics"}),
    ],
)
def test_a_gate_refuses_its_class_and_what_is_worse(override: str, refused: set[str]) -> None:
    found = compared(override)
    assert {gate for gate in ("numerics", "resources", "logistics") if found.is_worse_than_allowed(gate)} == refused


def test_inputs_alone_change_nothing_that_runs() -> None:
    found = compare_bundles(PLAIN, compiled(f"# why\n{SPEC}"))
    assert not found.is_same
    assert found.worst is None
    assert about(found, "inputs").details == ("~ a.toml",)
    assert "nothing that differs changes what runs" in comparison_text(found)


def test_a_value_from_another_layer_is_told_without_being_a_change() -> None:
    found = compared("training.max_steps=240")
    assert found.worst is None
    assert about(found, "origins").details == ("training.max_steps: spec → command line",)


def test_another_runtime_is_other_code() -> None:
    found = compare_bundles(PLAIN, edited(PLAIN, {"runtime/cfgc_runtime/loop.py": "pass"}))
    assert about(found, "runtime").kind == "numerics"
    assert about(found, "runtime").details == ("runtime/cfgc_runtime/loop.py",)


@pytest.mark.parametrize(("file", "kind"), [("config.py", "numerics"), ("job.sbatch", "resources")])
def test_equal_values_that_became_other_files_are_the_compilers(file: str, kind: str) -> None:
    found = compare_bundles(PLAIN, edited(PLAIN, {file: "x = 1"}))
    assert about(found, "compiler").kind == kind


def test_another_release_that_writes_the_same_files_is_logistics() -> None:
    found = compare_bundles(PLAIN, edited(PLAIN, {}, {"cfgc_version": "9.0"}))
    assert about(found, "compiler").kind == "logistics"
    assert about(found, "compiler").text.endswith("→ 9.0")


def test_a_ds_config_that_no_value_explains_counts() -> None:
    values = {**PLAIN.values, "ds_config": {**PLAIN.values["ds_config"], "gradient_clipping": 9.0}}
    found = compare_bundles(PLAIN, edited(PLAIN, {"values.json": json.dumps(values)}))
    assert found.counts_ds_config
    assert found.worst == "numerics"
    assert "gradient_clipping" in comparison_text(found)
    values["ds_config"] = {**PLAIN.values["ds_config"], "zero_optimization.reduce_bucket_size": 7}
    found = compare_bundles(PLAIN, edited(PLAIN, {"values.json": json.dumps(values)}))
    assert found.worst == "resources"
    follows = compared("zero=3")
    assert follows.ds_config
    assert not follows.counts_ds_config


TASK = '[experiment]\nname = "t"\n[task]\nscript = "job.py"\n'


def test_a_script_differs_by_its_lines() -> None:
    sides = (compiled(TASK, **{"job.py": text}) for text in ("print(1)\nprint(2)\n", "print(1)\nprint(3)\n"))
    found = compare_bundles(*sides)
    fact = about(found, "script script/job.py")
    assert fact.kind == "numerics"
    assert [line for line in fact.details if line[0] in "+-"] == ["-print(2)", "+print(3)"]
    assert [one.subject for one in found.facts if one.kind] == ["script script/job.py"]
    for said in (comparison_text(found), comparison_md(found)):
        assert "what it computes may change" in said
        assert "loss" not in said


def test_what_holds_an_escape_follows_from_nothing() -> None:
    found = compare_bundles(*(compiled(SPEC, f'experiment.description="{one} $${{training.seed}}"') for one in "ab"))
    assert by_key(found)["experiment.description"].follows == ""


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("evaluation.micro_batch_size=2",), "judge other samples (16 → 8)"),
        (("training.micro_batch_size=2",), "judge other samples (16 → 8)"),
        (("launch.gpus_per_node=2",), "judge other samples (16 → 32)"),
        (("evaluation.max_batches=2",), "judge other samples (16 → 8)"),
        (("evaluation.every_steps=10",), "come after other steps (20 → 10)"),
        (("evaluation.micro_batch_size=2", "evaluation.max_batches=8"), ""),
        (("evaluation.max_batches=2", "training.early_stopping.patience=0"), ""),
        (("evaluation.at_end=false",), ""),
    ],
)
def test_evaluations_that_end_a_training_are_no_infrastructure(overrides: tuple[str, ...], told: str) -> None:
    found = compare_bundles(compiled(STOPPING), compiled(STOPPING, *overrides))
    assert [fact.text for fact in found.facts if fact.subject == "early stopping"] == (
        [f"the evaluations that may end the run {told}"] if told else []
    )
    assert ("numerics" in {change.kind for change in found.changes}) == ("patience" in overrides[-1])
    assert not told or found.is_worse_than_allowed("numerics")
    quiet = STOPPING.replace("patience = 2", "patience = 0")
    assert "early stopping" not in [
        fact.subject for fact in compare_bundles(compiled(quiet), compiled(quiet, *overrides)).facts
    ]


STAGES = SPEC + '[[stages]]\nname = "one"\n[[stages]]\nname = "two"\nneeds = ["one"]\nset = {experiment.seed = 5}\n'


def test_stages_are_compared_by_name() -> None:
    more = '[[stages]]\nname = "three"\nneeds = ["two"]\n'
    new = STAGES.replace("{experiment.seed = 5}", "{training.learning_rate = 2e-3}") + more
    new = new.replace('needs = ["one"]', "")
    found = compare_bundles(compiled(STAGES.replace("{experiment.seed = 5}", "{}")), compiled(new))
    assert found.stages is not None
    assert [change.key for change in found.stages["two"].changes] == ["training.learning_rate"]
    assert not found.stages["one"].counts
    assert about(found, "stage three").text == "it is new"
    assert about(found, "stage two").text == "it needs none, and needed one"
    assert found.counts == {"numerics": 2, "logistics": 1}


def test_a_pipeline_and_a_run_are_not_compared() -> None:
    with pytest.raises(Rejected, match="CFG744"):
        compare_bundles(PLAIN, compiled(STAGES.replace("{experiment.seed = 5}", "{}")))


def test_a_secret_is_dots_in_every_form() -> None:
    secret = "sk-" + "a1" * 20
    found = compare_bundles(
        PLAIN, edited(PLAIN, {"values.json": said_of(PLAIN, secret)}, {"overrides": [f"a.b={secret}"]})
    )
    for text in (comparison_text(found), comparison_md(found), json.dumps(comparison_data(found))):
        assert secret not in text


def test_text_shows_values_with_origins_and_one_line_for_what_follows() -> None:
    assert comparison_text(compared("training.max_steps=480"), only=NUMERICS) == (
        "- a.toml\n"
        "+ a.toml training.max_steps=480\n"
        "4 changes, the worst of class numerics: 2 numerics, 2 logistics\n"
        "\n"
        "numerics: the loss curve changes\n"
        "  training.max_steps\n"
        "    - 240  spec a.toml\n"
        "    + 480  command line\n"
        "  training.warmup_steps  10 → 20  follows: ${training.max_steps // 24}\n"
    )


def test_markdown_is_a_table_a_class() -> None:
    assert comparison_md(compared("training.max_steps=480"), only=NUMERICS) == (
        "### `a.toml` → `a.toml training.max_steps=480`\n"
        "\n"
        "4 changes, the worst of class **numerics**: 2 numerics, 2 logistics.\n"
        "\n"
        "**numerics**: the loss curve changes\n"
        "\n"
        "| key | before | after | from |\n"
        "| --- | --- | --- | --- |\n"
        "| `training.max_steps` | `240` | `480` | `spec a.toml` → `command line` |\n"
        "| `training.warmup_steps` | `10` | `20` | follows `${training.max_steps // 24}` |\n"
    )


def test_data_has_whole_chains_and_leaves_out_what_a_side_has_not() -> None:
    data = comparison_data(compared("training.scheduler.type=polynomial"))
    [kind] = [change for change in data["changes"] if change["key"] == "training.scheduler.type"]
    assert kind["new_origin"][0] == {"layer": "command line", "value": "polynomial"}
    assert {"old", "new", "why"} <= set(kind)
    assert any("old" not in change for change in data["changes"])
    assert data["worst"] == "numerics"
    assert json.loads(json.dumps(data)) == data


def said_of(bundle: BundleOnDisk, description: str) -> str:
    values = json.loads(bundle.files[PurePosixPath("values.json")])
    values["logistics"]["experiment.description"] = description
    return json.dumps(values)


HOSTILE = [
    "\x1b[31mred",
    "a|b",
    "`code`",
    "<script>x</script>",
    "line\nline",
    "\u202etxt",
    "—",
    "",
    "</details>",
    "``|`",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_only_text(text: str) -> None:
    found = compare_bundles(
        PLAIN, edited(PLAIN, {"values.json": said_of(PLAIN, text), f"{text.replace('/', '')}x": ""})
    )
    shown, markdown = comparison_text(found), comparison_md(found)
    assert "experiment.description" in shown
    assert all(line.isprintable() for line in (shown + markdown).split("\n"))
    [row] = [line for line in markdown.split("\n") if line.startswith("| `experiment.description`")]
    bare = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", row.replace("\\|", "x"))
    assert bare.count("|") == 5
    assert not re.search(r"(?<!\\)<(?!/?details>|/?summary>)", re.sub(r"`.*`", "", markdown))
    assert markdown.count("<details>") == markdown.count("\n</details>")


def test_long_values_are_shown_where_they_begin_to_differ() -> None:
    found = compared(f"experiment.description={'x' * 300}A")
    other = compare_bundles(found.new, compiled(SPEC, f"experiment.description={'x' * 300}B"))
    lines = [line for line in comparison_text(other).splitlines() if "xxx" in line and line.startswith("    ")]
    assert 'xA"' in lines[0]
    assert 'xB"' in lines[1]
    assert max(map(len, lines)) < 140
