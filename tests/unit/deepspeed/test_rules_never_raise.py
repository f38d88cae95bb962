"""Whatever a ds_config holds, and for whatever release, the rules say what they find and do not raise."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.judge import judge_config
from cfgc.deepspeed.reading import config_of
from cfgc.deepspeed.releases import known_releases, newest_release, release
from cfgc.deepspeed.rules import RULES
from cfgc.deepspeed.rules.bounds import BOUNDS
from cfgc.deepspeed.rules.choices import CHOICES
from cfgc.deepspeed.rules.optimizer_classes import CLASSES
from cfgc.deepspeed.rules.torch_names import TORCH_OPTIMIZERS, TORCH_SCHEDULERS

NEWEST = release(newest_release())
PARAMS = sorted(
    {*(name for names in CLASSES.values() for name in names), "torch_adam", "learning_rate", "max_grad_norm"}
)
SCHEDULES = sorted({name for each in NEWEST.schedulers.values() for name in each.parameters} | {"warmup_steps"})
PATHS = sorted(
    {
        *NEWEST.keys,
        *(tuple(dotted.split(".")) for dotted in (*BOUNDS, *CHOICES)),
        *(("optimizer", "params", name) for name in PARAMS),
        *(("scheduler", "params", name) for name in SCHEDULES),
    }
)
WORDS = sorted(
    {
        *TORCH_OPTIMIZERS,
        *TORCH_SCHEDULERS,
        *NEWEST.optimizers,
        *NEWEST.schedulers,
        "Adam",
        "OneBitAdam",
        "ReduceLROnPlateau",
    }
    | {"auto", "cpu", "nvme", "none", "deepep", "fused", "sum", "log", "", ".", "fixed_discrete", "fixed_root"}
)
NUMBERS = st.sampled_from([0, 1, 2, 3, 4, 7, 8, -1, 512, 10**30, 0.0, 0.5, 1.0, -2.5, 1e300, 5e8])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(WORDS)
VALUES = (
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.sampled_from(["enabled", "type", "a.b", ""]), SCALARS)
)
TREES = st.dictionaries(st.sampled_from(PATHS), VALUES, max_size=14)
ON = st.lists(st.sampled_from([path for path in PATHS if path[-1] == "enabled"]), max_size=4)
RELEASES = st.sampled_from([known_releases()[0], "0.16.9", "0.18.9", newest_release()])
WORLDS = st.sampled_from([None, 1, 2, 6, 8])


def tree_of(values: dict[tuple[str, ...], Any], on: list[tuple[str, ...]]) -> dict[str, Any]:
    """The values in their tables; a table that is in the way of another is replaced."""
    tree: dict[str, Any] = {}
    for path, value in [*values.items(), *((path, True) for path in on)]:
        table = tree
        for part in path[:-1]:
            if not isinstance(table.get(part), dict):
                table[part] = {}
            table = table[part]
        table[path[-1]] = value
    return tree


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=TREES, on=ON, version=RELEASES, world=WORLDS, device=st.sampled_from(["", "cpu", "cuda"]))
def test_rules_never_raise(values: Any, on: Any, version: str, world: int | None, device: str) -> None:
    case = Case(config_of(tree_of(values, on)), release(version), world, device)
    for rule in RULES:
        for finding in rule(case):
            assert finding.message
            assert finding.helps
    judge_config(case)
