"""Rules say nothing of what they do not understand, and never raise."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgc.deepspeed.as_read import as_read
from cfgc.deepspeed.case import Case
from cfgc.deepspeed.reading import config_of
from cfgc.deepspeed.releases import known_releases, release
from cfgc.deepspeed.rules import (
    accumulation,
    compiling,
    elasticity,
    features,
    loss_scale,
    master_weights,
    offload,
    offload_keys,
    precision,
    scaling,
    sizes,
    stages,
    unread,
    zenflow,
    zero,
    zeropp,
)
from cfgc.deepspeed.table import MISSING
from cfgc.diagnostics import Diagnostic
from tests.unit.deepspeed.zero_cases import ACCEPTED, REFUSED, whole

MODULES = (
    *(accumulation, compiling, elasticity, features, loss_scale, master_weights, offload, offload_keys, precision),
    *(scaling, sizes, stages, unread, zenflow, zero, zeropp),
)
RULES = [rule for module in MODULES for rule in module.RULES]
SECTIONS = {
    *("zero_optimization", "fp16", "bf16", "bfloat16", "torch_autocast", "data_types", "compile", "aio", "optimizer"),
    *("hybrid_engine", "elasticity", "gradient_clipping", "prescale_gradients", "gradient_predivide_factor"),
    *("gradient_allreduce_op", "managed_gradient_accumulation", "gradient_accumulation_steps", "train_batch_size"),
    *("communication_data_type", "pipeline", "checkpoint", "tensor_parallel", "expert_parallel"),
}
RELEASES = [version for version in known_releases() if version in {"0.12.6", "0.16.9", "0.18.9", "0.19.6", "0.19.8"}]
JUNK = [None, True, False, 0, 1, 2, 3, -1, 0.5, 1e30, float("inf"), float("nan"), 10**30, "", "auto", "cpu", "nvme"]
WORDS = ["none", "fp16", "bf16", "fp32", "sum", "Muon", "AdamW", "step", "2", [], ["autosp", 1], {}, {"a": {"b": 1}}]

Path = tuple[str, ...]


def _values(version: str, path: Path) -> list[Any]:
    key = release(version).keys[path]
    return [*key.choices, *([] if key.default is MISSING else [key.default])]


def _put(tree: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        inner = tree.get(name)
        if not isinstance(inner, dict):
            inner = tree[name] = {}
        tree = inner
    tree[path[-1]] = copy.deepcopy(value)


@st.composite
def configs(draw: st.DrawFn) -> Case:
    """A tree with good values and junk at paths of the release's table."""
    version = draw(st.sampled_from(RELEASES))
    paths = sorted(path for path in release(version).keys if path[0] in SECTIONS)
    tree: dict[str, Any] = {}
    for path in draw(st.lists(st.sampled_from(paths), max_size=14)):
        _put(tree, path, draw(st.sampled_from([*JUNK, *WORDS, *_values(version, path), *_values(version, path)])))
    if draw(st.booleans()):
        _put(tree, ("zero_optimization", "stage"), draw(st.sampled_from([0, 1, 2, 3])))
    world, device = draw(st.sampled_from([None, 1, 6, 8])), draw(st.sampled_from(["", "cpu", "cuda"]))
    return Case(config_of(tree), release(version), world, device)


def judged(case: Case) -> list[Diagnostic]:
    return [finding for rule in RULES for finding in rule(case)]


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(configs())
def test_no_rule_raises_whatever_the_config_holds(case: Case) -> None:
    for finding in [*judged(case), *judged(as_read(case, []))]:
        assert finding.primary is not None
        assert len(finding.helps) == len(finding.fixes) >= 1
        assert not finding.message.endswith(".")


@pytest.mark.parametrize("name", [*REFUSED, *ACCEPTED])
@pytest.mark.parametrize("version", RELEASES)
def test_no_rule_raises_in_any_release(name: str, version: str) -> None:
    config = REFUSED[name].config if name in REFUSED else ACCEPTED[name][0]
    judged(as_read(Case(config_of(whole(config)), release(version), 8, "cpu"), []))
