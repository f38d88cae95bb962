"""What resolved.toml says of each value, and that it says enough to build the same plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cfgc.load.disk import DiskReader
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import AnyPlan
from cfgc.lower.provenance import comment
from cfgc.origin import Layer, Leaf, Origin
from cfgc.pipeline import check, lower
from cfgc.resources import shipped_dir
from cfgc.stages.pipeline import PipelinePlan
from cfgc.validate.checker import check_resolved
from tests.unit.lower.planning import plan_of
from tests.unit.rules.building import resolved_of

DEFAULT, BASE = Layer("default"), Layer("base", "cfgc:bases/base.toml")
OVERLAY, LINE = Layer("overlay", "cfgc:zero/2.toml", "zero=2"), Layer("command line")


def said(*chain: tuple[Layer, Any]) -> str:
    origin = None
    for layer, value in chain:
        origin = Origin(layer, value, replaced=origin)
    assert origin is not None
    return comment(Leaf(origin.value, origin))


def test_comments_name_the_layer_and_what_it_replaced() -> None:
    assert said((DEFAULT, 1)) == "default"
    assert said((DEFAULT, 1), (BASE, 4)) == "base cfgc:bases/base.toml"
    assert said((DEFAULT, 1), (BASE, 4), (OVERLAY, 8)) == "overlay zero=2, over base cfgc:bases/base.toml (4)"
    assert said((BASE, 0.0003), (LINE, 4e-05)) == "command line, over base cfgc:bases/base.toml (0.0003)"
    assert said((BASE, "a\nb"), (LINE, "c")) == 'command line, over base cfgc:bases/base.toml ("a b")'
    assert len(said((BASE, "x" * 1000), (LINE, "c"))) < 120


def test_a_default_that_is_back_says_what_was_unset() -> None:
    removed = Origin(LINE, "unset", removed=True, replaced=Origin(BASE, 4, replaced=Origin(DEFAULT, 1)))
    back = Origin(DEFAULT, 1, replaced=removed)
    assert comment(Leaf(1, back)) == "default, unset by command line, over base cfgc:bases/base.toml (4)"
    again = Origin(LINE, 2, replaced=removed)
    assert comment(Leaf(2, again)) == "command line, over base cfgc:bases/base.toml (4)"


def meaning(plan: AnyPlan) -> AnyPlan:
    empty = replace(plan.review, provenance=(), inputs=(), root="", overlays=(), overrides=())
    return replace(plan, review=empty)


def rebuilt(plan: AnyPlan) -> AnyPlan:
    """The plan of a spec that holds what the provenance says, and nothing else."""
    tree: dict[str, Any] = {}
    for line in plan.review.provenance:
        table = tree
        for part in line.path[:-1]:
            table = table.setdefault(part, {})
        table[line.path[-1]] = line.value
    return lower_spec(check_resolved(resolved_of(tree)))


def test_derived_values_say_how_they_follow() -> None:
    lines = {".".join(line.path): line for line in plan_of().review.provenance}
    assert lines["training.gradient_accumulation_steps"].value == 2
    assert lines["training.gradient_accumulation_steps"].comment == "derived: 32 / (8 × 2)"
    assert lines["launch.run_dir"].value == "runs/small"
    assert lines["training.precision"].comment == "default"
    assert lines["training.max_steps"].comment == "spec spec.toml"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training": {"max_steps": None, "max_epochs": 3}, "data": {"max_train_samples": 3200}},
        {"training": {"micro_batch_size": None, "gradient_accumulation_steps": 4}},
        {"training": {"global_batch_size": None, "gradient_accumulation_steps": 4}},
        {"data": {"eval_fraction": 0.0}},
        {"training": {"scheduler": {"type": "constant"}}},
        {"launch": {"run_dir": {"env": "SCRATCH", "path": "runs"}, "time_limit": "90min"}},
        {"deepspeed": {"raw": {"reason": "see", "memory_breakdown": True}}},
    ],
)
def test_what_is_resolved_gives_the_same_plan(changes: dict[str, Any]) -> None:
    plan = plan_of(changes)
    assert meaning(rebuilt(plan)) == meaning(plan)


def test_shipped_examples_are_rebuilt_from_what_is_resolved(repository: Path) -> None:
    reader = DiskReader(repository, shipped_dir("specs"))
    for path in sorted((repository / "specs" / "examples").glob("*.toml")):
        plan = lower(check(reader, f"specs/examples/{path.name}"))
        for each in (stage.plan for stage in plan.stages) if isinstance(plan, PipelinePlan) else (plan,):
            assert meaning(rebuilt(each)) == meaning(each), path.name
