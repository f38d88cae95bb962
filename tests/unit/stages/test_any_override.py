"""Whatever an override says of a pipeline or of a sweep, the outcome is a plan or findings."""

from __future__ import annotations

from random import Random

import pytest

from cfgc.diagnostics import Rejected
from cfgc.load.keys import parse_key
from cfgc.pipeline import check, lower, resolve_key
from tests.unit.stages.test_pipelines import TASK, reader_of

STAGES = """
[[stages]]
name = "one"
set = { task.env.A = "1" }
[[stages]]
name = "two"
needs = ["one"]
set = { task.paths.R = "${stages.one.run_dir}" }
"""
PARAMETERS = '[sweep.parameters]\n"task.env.A" = ["1", "2"]\n"experiment.seed" = [1, 2]\n'
SPECS = {
    "run": TASK,
    "pipeline": TASK + STAGES,
    "pipeline of other specs": '[experiment]\nname = "chain"\n[[stages]]\nname = "one"\nspec = "other.toml"\n',
    "grid": f'{TASK}[sweep]\nmethod = "grid"\n{PARAMETERS}',
    "zip": f'{TASK}[sweep]\nmethod = "zip"\n{PARAMETERS}',
    "random": TASK
    + '[sweep]\nmethod = "random"\nmax_points = 2\n'
    + 'parameters."experiment.seed" = { low = 1, high = 9, integer = true }\n',
    "list": TASK + '[sweep]\nmethod = "list"\npoints = [{ "task.env.A" = "1" }, { task.env.A = "2" }]\n',
    "both": TASK + STAGES + '[sweep]\nmethod = "list"\npoints = [{ "task.env.A" = "1" }]\n',
}
KEYS = (
    *(
        "stages",
        "stages.one",
        "stages.one.name",
        "stages.one.set.task.env.A",
        "stages.0",
        '"stages"."one"',
        "stages.set",
    ),
    *(
        "sweep",
        "sweep.method",
        "sweep.parameters",
        "sweep.parameters.task",
        "sweep.points",
        "sweep.points.0",
        "sweep.x",
    ),
    *('sweep.parameters."task.env.A"', 'sweep.parameters."experiment.seed"', 'sweep.parameters."task.env.A".low'),
    *(
        "sweep.max_points",
        "sweep.seed",
        "sweep.parameters.hardware",
        "sweep.parameters.stages",
        "sweep.parameters.sweep",
    ),
    *("experiment", "experiment.name", "experiment.seed", "launch", "launch.run_dir", "launch.run_dir.env"),
    *("task", "task.env", "task.env.A", "task.inline", "task.paths.R", "hardware", "overlays", "extends", "unset"),
)
VALUES = (
    *("1", "-1", '"x"', '""', "[]", "[1]", "{}", "{ a = 1 }", "[{}]", "[[]]", "true", "nan", "1e400", "1979-05-27"),
    *(
        '[{ name = "a" }]',
        '[{ name = "one", needs = ["two"] }]',
        '["1", "2"]',
        "{ low = 1, high = 2 }",
        "{ low = 'a', high = 2 }",
    ),
    *('"${experiment.seed}"', '"${stages.one.run_dir}"', '"${stages}"', '"${sweep.seed}"', '"${sweep.parameters}"'),
    *(
        '"grid"',
        '"list"',
        '"random"',
        '"zip"',
        '[{ "task.env.A" = "1" }]',
        '[{ "sweep.method" = "x" }]',
        "[{ stages = [] }]",
    ),
    *(
        '[{ "" = 1 }]',
        '[{ "a..b" = 1 }]',
        '{ env = "HOME", path = "x" }',
        '{ env = "HOME" }',
        "cpu",
        "zz",
        "",
        "9" * 30,
    ),
    *("[{ task = 1 }, { task = { env = 1 } }]", '[{ hardware = "cpu" }]', '[{ hardware = "zz" }]', '[[["x"]]]'),
)


def override(random: Random) -> str:
    key = random.choice(KEYS)
    if random.random() < 0.15:
        key = "**." + key.rpartition(".")[2]
    operator = random.choice(("=", "=", "=", "=", "=", "+=", "-=", "*=", "/=", "~"))
    return f"~{key}" if operator == "~" else f"{key}{operator}{random.choice(VALUES)}"


@pytest.mark.parametrize("shape", SPECS)
def test_an_override_makes_a_plan_or_findings(shape: str) -> None:
    random = Random(f"overrides of {shape}")
    outcomes = []
    for _ in range(40):
        overrides = [override(random) for _ in range(random.choice((1, 1, 2)))]
        reader = reader_of(SPECS[shape], **{"other.toml": TASK})
        try:
            lower(check(reader, "spec.toml", overrides))
            resolve_key(reader, "spec.toml", overrides, parse_key(random.choice(KEYS)) or ())
        except Rejected as rejected:
            outcomes.append(any(one.severity == "error" for one in rejected.diagnostics))
    assert all(outcomes)


@pytest.mark.parametrize("shape", [name for name in SPECS if name != "both"])
def test_each_of_those_specs_holds(shape: str) -> None:
    lower(
        check(
            reader_of(SPECS[shape], **{"other.toml": TASK}),
            "spec.toml",
            ["experiment.seed=3"] if shape == "run" else [],
        )
    )
