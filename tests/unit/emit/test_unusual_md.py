"""PLAN.md: what is unusual about a run stands there, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from cfgc.diagnostics.explain import title
from cfgc.emit.bundle import emit_bundle
from cfgc.emit.canonical import plan_digest
from cfgc.emit.unusual_md import unusual
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import Plan, Wandb
from cfgc.pipeline import compile_spec, plan_spec
from cfgc.resources import shipped_dir
from tests.unit.emit.samples import cluster_plan, cpu_plan

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
USUAL = ["Nothing: no warning, none waived, no override, no raw DeepSpeed key, and no safeguard is off."]
ALONE = "- warning: `CFG515`: ZeRO-1 over one rank partitions nothing (`spec.toml`: `gpus_per_node = 1`)"
SPEC = """\
extends = "cfgc:bases/tiny.toml"

[overlays]
hardware = "cpu"

[experiment]
name = "a"

[launch]
gpus_per_node = 1

[[data.sources]]
name = "one"
path = "/data/one"
"""


def said(*overrides: str) -> list[str]:
    reader = MemoryReader({"spec.toml": SPEC}, DiskReader(GOLDEN, shipped_dir("specs")))
    return unusual(plan_spec(reader, "spec.toml", overrides))[2:]


def usual() -> Plan:
    plan = cpu_plan()
    return replace(plan, review=replace(plan.review, overrides=()))


def test_a_usual_run_says_so() -> None:
    assert said() == USUAL
    assert unusual(usual())[2:] == USUAL


@pytest.mark.parametrize(
    ("override", "lines"),
    [
        ("training.max_steps=2000", ["- override: `training.max_steps=2000`: over base cfgc:bases/tiny.toml (1000)"]),
        (
            "training.max_steps*=2",
            ["- override: `training.max_steps*=2`: ${1000 \\* 2}, over base cfgc:bases/tiny.toml (1000)"],
        ),
        ("zero=1", [ALONE, "- override: `zero=1`"]),
        (
            "**.hidden_dropout=0.1",
            ["- override: `**.hidden_dropout=0.1`", "- set by an override: `model.hidden_dropout = 0.1`, command line"],
        ),
        (
            "~training.warmup_steps",
            ["- override: `~training.warmup_steps`", "- unset by command line: `training.warmup_steps`"],
        ),
        (
            "launch.watchdog=0",
            ["- override: `launch.watchdog=0`", "- the watchdog is off"],
        ),
    ],
)
def test_an_override_comes_with_what_it_does(override: str, lines: list[str]) -> None:
    assert said(override) == lines


def test_what_a_layer_unset_without_a_value_since_is_named() -> None:
    lines = said("~training.micro_batch_size", "training.gradient_accumulation_steps=2")
    assert "- unset by command line: `training.micro_batch_size`" in lines


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda plan: {"experiment": replace(plan.experiment, deterministic=False)}, "not deterministic"),
        (lambda plan: {"optimizer": replace(plan.optimizer, gradient_clipping=0.0)}, "gradients are not clipped"),
        (
            lambda plan: {"checkpoint": replace(plan.checkpoint, on_changed_numerics="continue")},
            "numerics have changed",
        ),
        (lambda plan: {"checkpoint": replace(plan.checkpoint, elastic=True)}, "another number of ranks"),
        (lambda plan: {"checkpoint": replace(plan.checkpoint, every_steps=0)}, "nothing is saved before the end"),
        (lambda plan: {"evaluation": replace(plan.evaluation, every_steps=0, at_end=False)}, "nothing is evaluated"),
        (lambda plan: {"data": replace(plan.data, max_bad_records=7)}, "up to 7 bad records are left out"),
        (lambda plan: {"model": replace(plan.model, parameters=0)}, "whether it fits was not checked"),
        (lambda plan: {"launch": replace(plan.launch, restart=True)}, "starts again by itself"),
        (
            lambda plan: {"tracking": replace(plan.tracking, wandb=Wandb(True, "online", "p", "", "", ""))},
            "go over the network, to W&B",
        ),
        (lambda plan: {"tracking": replace(plan.tracking, peak_flops=1.0)}, "by the estimate above"),
    ],
)
def test_a_safeguard_that_is_off_is_named(change: Callable[[Plan], dict[str, object]], line: str) -> None:
    plan = usual()
    lines = unusual(replace(plan, **change(plan)))[2:]  # type: ignore[arg-type]
    assert len(lines) == 1
    assert line in lines[0]


def test_a_device_of_unknown_memory_is_named() -> None:
    plan = cluster_plan()
    known, unknown = unusual(plan), unusual(replace(plan, estimate=replace(plan.estimate, device_bytes=0)))
    assert set(unknown) - set(known) == {"- whether it fits was not checked: `hardware.memory` is not known"}


def test_an_evaluation_by_itself_holds_no_optimizer() -> None:
    files = compile_spec(DiskReader(GOLDEN / "pipeline", shipped_dir("specs")), "spec.toml").files
    text = files[PurePosixPath("stages/judge/PLAN.md")].decode()
    assert "| weights per GPU | 44.3 MiB of 79.6 GiB | no gradients and no optimizer;" in text
    assert "All of them: 792 GPU-hours" in files[PurePosixPath("PLAN.md")].decode()


def test_a_pipeline_says_what_is_unusual_of_which_stage() -> None:
    overrides = ("training.gradient_clipping=0.0", "experiment.deterministic=false")
    files = compile_spec(DiskReader(GOLDEN / "pipeline", shipped_dir("specs")), "spec.toml", overrides).files
    lines = files[PurePosixPath("PLAN.md")].decode().partition("## What is unusual\n\n")[2].partition("\n\n")[0]
    assert lines.splitlines() == [
        "- override: `training.gradient_clipping=0.0`",
        "- override: `experiment.deterministic=false`",
        f"- `pretrain`, `finetune`, `judge`: override: `{overrides[0]}`: over base cfgc:bases/base.toml (0.5)",
        "- `pretrain`, `finetune`: gradients are not clipped",
        "- `pretrain`, `finetune`, `judge`, `export`: not deterministic: a second run does not give the same numbers",
    ]


def section(files: Mapping[PurePosixPath, bytes], name: str = "PLAN.md") -> list[str]:
    text = files[PurePosixPath(name)].decode()
    return text.partition("## What is unusual\n\n")[2].partition("\n\n")[0].splitlines()


def test_a_pipeline_names_the_stages_that_a_warning_is_about_and_each_stage_has_its_own() -> None:
    overrides = ("launch.gpus_per_node=1", "zero=2")
    files = compile_spec(DiskReader(GOLDEN / "pipeline", shipped_dir("specs")), "spec.toml", overrides).files
    line = "warning: `CFG515`: ZeRO-2 over one rank partitions nothing (`command line`: `launch.gpus_per_node=1`)"
    assert f"- `finetune`, `judge`: {line}" in section(files)
    having = [name for name in ("pretrain", "finetune", "judge") if f"- {line}" in section(files, of_stage(name))]
    assert having == ["finetune", "judge"]  # one of a training, one of an evaluation


def of_stage(name: str) -> str:
    return f"stages/{name}/PLAN.md"


BASE = """\
[overlays]
env = "few"

[experiment]
name = "a"

[launch]
gpus_per_node = 1
time_limit = "1h"

[task]
kind = "script"
script = "job.py"
"""
SWEPT = """\
extends = "base.toml"

[sweep]
method = "grid"
[sweep.parameters]
"experiment.seed" = [1, 2]
"""


@pytest.mark.parametrize(("spec", "who"), [('extends = "base.toml"\n', ""), (SWEPT, "all 2 points: ")])
def test_a_task_and_a_sweep_say_what_the_compiler_warned_of(spec: str, who: str) -> None:
    few = '[launch]\ntime_limit = "2h"  # password = "correct-horse-9"\n'
    mine = {"spec.toml": spec, "base.toml": BASE, "job.py": "pass\n", "specs/env/few.toml": few}
    files = compile_spec(MemoryReader(mine, DiskReader(GOLDEN, shipped_dir("specs"))), "spec.toml").files
    assert section(files)[0] == (
        f"- warning: `CFG130`: {who}the overlay `env=few`, which a base chooses, replaces the base's own "
        '`launch.time_limit` (`base.toml`: `time_limit = "1h"`)'
    )


def test_a_warning_in_a_plan_changes_nothing_else_and_is_no_meaning() -> None:
    reader = MemoryReader({"spec.toml": SPEC}, DiskReader(GOLDEN, shipped_dir("specs")))
    plan = plan_spec(reader, "spec.toml", ("zero=1",))
    silent = replace(plan, review=replace(plan.review, warnings=()))
    assert plan.review.warnings
    assert plan_digest(plan) == plan_digest(silent)
    files, fewer = emit_bundle(plan).files, emit_bundle(silent).files
    assert {str(path) for path in files if files[path] != fewer[path]} == {"PLAN.md", "manifest.json"}


def test_a_waived_warning_is_said_once() -> None:
    waived = SPEC + '\n[checks.allow]\nCFG515 = "one rank is all there is"\n'
    reader = MemoryReader({"spec.toml": waived}, DiskReader(GOLDEN, shipped_dir("specs")))
    lines = unusual(plan_spec(reader, "spec.toml", ("zero=1",)))[2:]
    assert [line for line in lines if "CFG515" in line] == [
        f"- waived: `CFG515` ({title('CFG515')}), because: one rank is all there is"
    ]


def test_a_secret_on_the_line_of_a_warning_is_dots() -> None:
    secret = SPEC.replace("gpus_per_node = 1", 'gpus_per_node = 1  # password = "correct-horse-9"')
    reader = MemoryReader({"spec.toml": secret}, DiskReader(GOLDEN, shipped_dir("specs")))
    line = unusual(plan_spec(reader, "spec.toml", ("zero=1",)))[2]
    assert "CFG515" in line
    assert "horse" not in line
