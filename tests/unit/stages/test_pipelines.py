"""A pipeline's stages are compiled as runs of their own, and know of each other."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from cfgc.diagnostics import Rejected
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import NodePath, Plan, TaskPlan
from cfgc.pipeline import check, check_spec, compile_spec, lower
from cfgc.stages.pipeline import CheckedPipeline, PipelinePlan

TASK = """
[overlays]
hardware = "cpu"

[experiment]
name = "chain"

[task]
inline = "#!/bin/bash\\ntrue"
"""
TRAINING = """
[experiment]
name = "chain"

[hardware]
device = "cpu"
architecture = "cpu"

[model]
hidden_size = 32
num_layers = 1
num_heads = 2
vocab_size = 320
max_sequence_length = 32

[training]
max_steps = 10
micro_batch_size = 2
gradient_accumulation_steps = 1
learning_rate = 1e-3
precision = "fp32"
optimizer = { type = "adamw" }

[data]
sequence_length = 32

[[data.sources]]
name = "text"
path = "text"
include = ["*.txt"]
"""
ARRAY = "`stages` is an array: what one of them changes stands in its `set`, where the stage is written"
CPU = '[hardware]\ndevice = "cpu"\narchitecture = "cpu"\n'


def reader_of(spec: str, **files: str) -> MemoryReader:
    return MemoryReader({"spec.toml": spec, "hardware/cpu.toml": CPU, **files})


def plan_of(spec: str, *overrides: str, **files: str) -> PipelinePlan:
    reader = reader_of(spec, **files)
    plan = lower(check(reader, "spec.toml", overrides))
    assert isinstance(plan, PipelinePlan)
    return plan


def stages_of(plan: PipelinePlan) -> dict[str, Any]:
    return {stage.name: stage.plan for stage in plan.stages}


@pytest.mark.covers("stages", "stages.needs", "stages.name")
def test_stages_run_in_an_order_in_which_each_finds_what_it_needs() -> None:
    stages = '[[stages]]\nname = "c"\nneeds = ["b"]\n[[stages]]\nname = "b"\nneeds = ["a"]\n[[stages]]\nname = "a"\n'
    plan = plan_of(TASK + stages)
    assert [(stage.name, stage.needs) for stage in plan.stages] == [("a", ()), ("b", ("a",)), ("c", ("b",))]


@pytest.mark.covers("stages.set")
def test_a_stage_sets_keys_over_the_pipelines_own_spec() -> None:
    stages = """
[[stages]]
name = "long"

[[stages]]
name = "short"
set = { "training.max_steps" = 3, training = { learning_rate = 0.5, warmup_steps = "${training.max_steps - 1}" } }
"""
    plans = stages_of(plan_of(TRAINING + stages))
    assert [plans["long"].schedule.max_steps, plans["short"].schedule.max_steps] == [10, 3]
    assert (plans["short"].schedule.learning_rate, plans["short"].schedule.warmup_steps) == (0.5, 2)


@pytest.mark.covers("stages.spec")
def test_a_stage_may_have_a_spec_of_its_own() -> None:
    own = TASK.replace("chain", "elsewhere") + '[launch]\nrun_dir = "nowhere"\n'
    spec = (
        '[experiment]\nname = "chain"\n[[stages]]\nname = "one"\nspec = "own/task.toml"\nset = { "launch.nodes" = 2 }\n'
    )
    plan = plan_of(spec, **{"own/task.toml": own})
    one = stages_of(plan)["one"]
    assert isinstance(one, TaskPlan)
    assert (one.experiment.name, one.launch.run_dir.path) == ("chain-one", "runs/chain/stages/one")
    assert one.topology.nodes == 2
    assert {item.logical for item in plan.inputs} >= {"spec.toml", "own/task.toml"}


def test_run_directories_follow_the_pipelines_own() -> None:
    spec = TASK + '[launch]\nrun_dir = { env = "SCRATCH", path = "chains" }\n[[stages]]\nname = "one"\n'
    plan = plan_of(spec)
    assert plan.run_dir == NodePath("env", "SCRATCH", "chains")
    assert stages_of(plan)["one"].launch.run_dir == NodePath("env", "SCRATCH", "chains/stages/one")


@pytest.mark.covers("task.paths", "task.checkpoint")
def test_outputs_of_other_stages_become_paths_of_the_node() -> None:
    stages = """
[[stages]]
name = "train"

[[stages]]
name = "judge"
needs = ["train"]
set = { task = { kind = "evaluate", checkpoint = "${stages.train.checkpoint}" } }

[[stages]]
name = "report"
needs = ["judge"]
[stages.set.task]
inline = "#!/bin/bash\\ntrue"
paths = { R = "${stages.judge.results}", M = "${stages.train.run_dir}/m" }
"""
    plans = stages_of(plan_of(TRAINING + stages))
    assert isinstance(plans["judge"], Plan)
    assert (plans["judge"].work, plans["judge"].weights) == ("evaluate", NodePath("checkpoint", "train", "."))
    assert plans["report"].task.paths == (
        ("M", NodePath("stage", "train", "m")),
        ("R", NodePath("stage", "judge", "evaluation.json")),
    )


@pytest.mark.covers("model.weights")
def test_what_all_share_may_name_an_output_that_some_stages_never_read() -> None:
    stages = """
weights = "${stages.first.checkpoint}"

[[stages]]
name = "first"
spec = "first.toml"

[[stages]]
name = "clean"
set = { "task.inline" = "#!/bin/bash\\ntrue" }

[[stages]]
name = "second"
needs = ["first"]
"""
    spec = TRAINING.replace("[model]", "[model]" + stages.partition("[[")[0]) + "[[" + stages.partition("[[")[2]
    plans = stages_of(plan_of(spec, **{"first.toml": TRAINING}))
    assert (plans["first"].weights.path, plans["second"].weights) == ("", NodePath("checkpoint", "first", "."))


def test_what_the_pipeline_says_of_training_is_not_for_its_other_tasks() -> None:
    stages = """
[[stages]]
name = "train"

[[stages]]
name = "publish"
needs = ["train"]
set = { task = { kind = "export", checkpoint = "${stages.train.checkpoint}", format = "safetensors", dtype = "bf16" } }
"""
    task = stages_of(plan_of(TRAINING + stages))["publish"].task
    assert (task.kind, task.format, task.dtype) == ("export", "safetensors", "bf16")
    with pytest.raises(Rejected) as rejected:
        plan_of(TRAINING + stages.replace("set = {", "set = { training = { max_steps = 2 }, "))
    assert [finding.code for finding in rejected.value.diagnostics] == ["CFG474"]


def test_the_command_line_is_for_stages_that_run_the_pipelines_spec() -> None:
    stages = '[[stages]]\nname = "one"\nset = { "training.max_steps" = 3 }\n[[stages]]\nname = "two"\n'
    plan = plan_of(TRAINING + stages, "training.max_steps=5", "experiment.name=other")
    assert [one.schedule.max_steps for one in stages_of(plan).values()] == [5, 5]
    assert [one.experiment.name for one in stages_of(plan).values()] == ["other-one", "other-two"]


def test_every_finding_is_said_once_and_names_its_stages() -> None:
    stages = '[[stages]]\nname = "one"\n[[stages]]\nname = "two"\nset = { "training.warmup_steps" = 99 }\n'
    broken = TRAINING.replace("num_heads = 2", "num_heads = 3")
    with pytest.raises(Rejected) as rejected:
        plan_of(broken + stages)
    said = {finding.code: finding.notes[-1] for finding in rejected.value.diagnostics}
    assert said["CFG410"] == "in every stage of the pipeline"
    assert said["CFG420"] == "in the stage `two`"
    assert len(said) == len(rejected.value.diagnostics)


def test_warnings_of_stages_are_those_of_the_pipeline() -> None:
    stages = '[[stages]]\nname = "one"\n[[stages]]\nname = "two"\nset = { "cluster.memory_per_node" = "500MiB" }\n'
    reader = reader_of(TASK + stages)
    checked = check(reader, "spec.toml")
    assert isinstance(checked, CheckedPipeline)
    assert [(one.code, one.notes[-1]) for one in checked.warnings] == [("CFG618", "in the stage `two`")]


def test_a_command_about_one_run_refuses_a_pipeline() -> None:
    with pytest.raises(Rejected, match="CFG668"):
        check_spec(reader_of(TASK + '[[stages]]\nname = "one"\n'), "spec.toml")


def test_an_array_without_stages_is_no_pipeline() -> None:
    reader = reader_of("stages = []\n" + TASK)
    assert not isinstance(check(reader, "spec.toml"), CheckedPipeline)


@pytest.mark.parametrize("upper", ['unset = ["stages"]\n', "stages = []\n"])
def test_a_spec_may_leave_the_stages_of_its_base_out(upper: str) -> None:
    base = TASK + '[[stages]]\nname = "one"\n'
    reader = reader_of('extends = "base.toml"\n' + upper, **{"base.toml": base})
    assert not isinstance(check(reader, "spec.toml"), CheckedPipeline)
    assert isinstance(check(reader, "spec.toml", ['**.stages=[{ name = "two" }]']), CheckedPipeline)


@pytest.mark.parametrize("of", ["launch.nodes=2", "set.launch.nodes=2"])
def test_a_stage_is_no_table_of_the_command_line(of: str) -> None:
    reader = reader_of(TASK + '[[stages]]\nname = "one"\n')
    with pytest.raises(Rejected) as rejected:
        check(reader, "spec.toml", [f"stages.one.{of}"])
    [found] = rejected.value.diagnostics
    assert (found.code, found.helps[1:]) == (
        "CFG201",
        (ARRAY, "'launch.nodes=VALUE' is for every stage that runs this spec"),
    )


@pytest.mark.parametrize(
    "override", ["stages.one=7", "~stages.one", "stages.0.name='x'", "stages.one={}", "**.stages={ a = 1 }"]
)
def test_an_override_that_takes_the_stages_for_a_table_is_one_finding(override: str) -> None:
    with pytest.raises(Rejected) as rejected:
        check(reader_of(TASK + '[[stages]]\nname = "one"\n'), "spec.toml", [override])
    [found] = rejected.value.diagnostics
    assert found.code in {"CFG201", "CFG202"}


def test_each_stage_is_a_whole_bundle_below_that_of_the_pipeline() -> None:
    stages = '[[stages]]\nname = "one"\n[[stages]]\nname = "two"\nneeds = ["one"]\n'
    bundle = compile_spec(reader_of(TASK + stages), "spec.toml")
    manifest = json.loads(bundle.files[PurePosixPath("manifest.json")])
    assert {*manifest["outputs"], "manifest.json"} == {str(path) for path in bundle.files}
    assert [(one["name"], one["needs"]) for one in manifest["stages"]] == [("one", []), ("two", ["one"])]
    for name in ("one", "two"):
        own = json.loads(bundle.files[PurePosixPath("stages", name, "manifest.json")])
        below = {str(path.relative_to(f"stages/{name}")) for path in bundle.files if path.parts[:2] == ("stages", name)}
        assert {*own["outputs"], "manifest.json"} == below
        assert PurePosixPath("stages", name, "launch.sh") in bundle.executable
