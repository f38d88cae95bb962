"""One spec says the same to every release that a bundle can be for, or is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import Json, Path
from cfgc.deepspeed.fitting import PARAMETERS, fit
from cfgc.deepspeed.judge import judge_config
from cfgc.deepspeed.reading import read_config
from cfgc.deepspeed.releases import drifting, history, known_releases, newest_release, release
from cfgc.deepspeed.targets import (
    BF16_WITHOUT_ZERO,
    FORGETS_GRADIENTS,
    OLDEST,
    ZERO_3_ON_A_CPU,
    is_older,
    target_releases,
)
from cfgc.deepspeed.unneeded import DROPPED, UNNEEDED
from cfgc.diagnostics import Rejected
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import Plan
from cfgc.validate.checker import check_resolved
from tests.unit.lower.planning import plan_of
from tests.unit.rules.building import SMALL, merged, resolved_of

GPU: dict[str, Any] = {"hardware": {"device": "cuda", "architecture": "hopper"}}
OFFLOADS: dict[str, dict[str, Any]] = {
    "none": {},
    "optimizer": {"offload": {"optimizer": "cpu", "pin_memory": True}},
    "both": {"offload": {"optimizer": "cpu", "parameters": "cpu"}},
}
LEAST_STAGE = {"none": 0, "optimizer": 1, "both": 3}


def target(version: str) -> dict[str, Any]:
    return {"target": {"deepspeed": version}}


@cache
def plans() -> tuple[Plan, ...]:
    """Plans for the newest release, of every stage, number format, offload and optimizer."""
    return tuple(
        plan_of(GPU, {"deepspeed": {"zero": {"stage": stage}, **OFFLOADS[offload]}, "training": training})
        for stage in range(4)
        for offload in OFFLOADS
        if stage >= LEAST_STAGE[offload]
        for training in ({"precision": "bf16"}, {"precision": "fp16", "optimizer": {"type": "sgd"}})
        if stage > 0 or training["precision"] == "bf16"
    )


def leaves(table: Mapping[str, Json], prefix: Path = ()) -> Iterator[tuple[Path, Json]]:
    for name, value in table.items():
        yield (*prefix, name), value
        if isinstance(value, dict):
            yield from leaves(value, (*prefix, name))


def judged(plan: Plan, version: str) -> list[str]:
    """What ``cfgc check`` says of the plan's config as ``version`` is given it."""
    config = fit(plan.ds_config, release(version)).config
    read = read_config("ds_config.json", json.dumps(config).encode())
    case = Case(read, release(version), plan.topology.world_size, plan.topology.device)
    return [f"{finding.code} {finding.message}" for finding in judge_config(case)]


@pytest.mark.parametrize("version", target_releases())
def test_every_key_is_read_and_none_that_ever_drifted_is_left_out(version: str) -> None:
    read = release(version)
    drifted = [path for path, _ in drifting()]
    assert len(drifted) >= 6
    for plan in plans():
        fitted = fit(plan.ds_config, read)
        assert fitted.lost == ()
        config = dict(leaves(fitted.config))
        for path in config:
            key = read.key(path)
            assert path[:-1] == PARAMETERS or (key is not None and not key.refused and not key.deprecated), path
        for path in drifted:
            table = config.get(path[:-1]) if path[:-1] else fitted.config
            if read.key(path) is not None and table is not None:
                assert path in config, f"{'.'.join(path)} is left to the default of {version}"


@pytest.mark.parametrize("version", target_releases())
def test_cfgc_check_finds_nothing_in_what_is_compiled(version: str) -> None:
    for plan in plans():
        refused = plan.precision == "bf16" and plan.zero_stage == 0 and is_older(version, BF16_WITHOUT_ZERO)
        assert refused or judged(plan, version) == []


def test_the_newest_release_is_told_everything_and_nothing_is_mutated() -> None:
    for plan in plans():
        before = copy.deepcopy(plan.ds_config)
        assert fit(plan.ds_config, release(newest_release())).config == before
        fit(plan.ds_config, release(OLDEST))
        assert plan.ds_config == before


def test_what_older_releases_are_not_told_is_each_needed_and_explained() -> None:
    newest = {path for plan in plans() for path, value in leaves(plan.ds_config) if not isinstance(value, dict)}
    missing = {
        ".".join(path)
        for version in target_releases()
        for path in newest
        if path[:-1] != PARAMETERS and release(version).key(path) is None
    }
    assert missing == set(UNNEEDED)
    assert all(len(unneeded.why) > 10 for unneeded in UNNEEDED.values())


def test_what_newer_releases_dropped_is_written_off_for_those_that_read_it() -> None:
    for dotted, off in DROPPED.items():
        phases = history(tuple(dotted.split(".")))
        assert {phase.key.default for phase in phases if not phase.key.refused} == {off}
        readers = [version for version in target_releases() if _reads(version, dotted)]
        assert readers
        for version in readers:
            section = fit(plans()[-1].ds_config, release(version)).config["zero_optimization"]
            assert isinstance(section, dict)
            assert section[dotted.rpartition(".")[2]] == off


def _reads(version: str, dotted: str) -> bool:
    key = release(version).key(tuple(dotted.split(".")))
    return key is not None and not key.refused


def test_a_value_that_an_older_release_cannot_be_told_is_lost_and_says_since_when() -> None:
    config: dict[str, Json] = {"zero_optimization": {"stage": 2, "compute_grad_norm": False}}
    fitted = fit(config, release("0.18.9"))
    section = fitted.config["zero_optimization"]
    assert isinstance(section, dict)
    assert set(section) == {"stage", *(dotted.rpartition(".")[2] for dotted in DROPPED)}
    assert [(lost.path, lost.value, lost.since) for lost in fitted.lost] == [
        (("zero_optimization", "compute_grad_norm"), False, "0.19.7")
    ]
    assert fit(config, release("0.19.7")).lost == ()
    removed = fit({"amp": {"enabled": True}}, release("0.19.8"))
    assert [(lost.path, lost.since) for lost in removed.lost] == [(("amp", "enabled"), "")]


@pytest.mark.covers("target.deepspeed")
def test_targets_are_known_and_what_they_cannot_do_is_refused() -> None:
    assert target_releases()[0] == OLDEST
    assert {BF16_WITHOUT_ZERO, ZERO_3_ON_A_CPU, *FORGETS_GRADIENTS} <= set(known_releases())
    refusals: dict[str, tuple[dict[str, Any], str, str]] = {
        "CFG522": ({"deepspeed": {"zero": {"stage": 2}}}, FORGETS_GRADIENTS[0], FORGETS_GRADIENTS[1]),
        "CFG528": ({"training": {"precision": "bf16"}}, OLDEST, BF16_WITHOUT_ZERO),
        "CFG529": ({"deepspeed": {"zero": {"stage": 3}}}, OLDEST, ZERO_3_ON_A_CPU),
    }
    for code, (tree, refused, works) in refusals.items():
        device = {} if code == "CFG529" else GPU
        with pytest.raises(Rejected) as rejected:
            plan_of(device, tree, target(refused))
        assert {finding.code for finding in rejected.value.diagnostics if finding.severity == "error"} == {code}
        assert plan_of(device, tree, target(works)).target.deepspeed == works


SPECS = st.fixed_dictionaries(
    {
        "target": st.fixed_dictionaries({"deepspeed": st.sampled_from(target_releases())}),
        "training": st.fixed_dictionaries(
            {
                "precision": st.sampled_from(["fp32", "bf16", "fp16"]),
                "gradient_clipping": st.floats(0, 100),
                "optimizer": st.fixed_dictionaries(
                    {"type": st.sampled_from(["adamw", "adam", "sgd"]), "weight_decay": st.floats(0, 1)}
                ),
            }
        ),
        "deepspeed": st.fixed_dictionaries(
            {
                "zero": st.fixed_dictionaries(
                    {"stage": st.integers(0, 3)},
                    optional={
                        **dict.fromkeys(("overlap_comm", "reduce_scatter", "contiguous_gradients"), st.booleans()),
                        "round_robin_gradients": st.booleans(),
                        "reduce_bucket_size": st.integers(1, 10**9),
                        "stage3_prefetch_bucket_size": st.integers(0, 10**9),
                        "sub_group_size": st.integers(1, 10**12),
                    },
                ),
                "offload": st.fixed_dictionaries(
                    {"optimizer": st.sampled_from(["none", "cpu"]), "parameters": st.sampled_from(["none", "cpu"])},
                    optional={"pin_memory": st.booleans()},
                ),
                "fp16": st.fixed_dictionaries(
                    {}, optional={"loss_scale": st.integers(0, 2**20), "hysteresis": st.integers(1, 5)}
                ),
                "prescale_gradients": st.booleans(),
                "communication_data_type": st.sampled_from(["fp32", "bf16", "fp16"]),
            }
        ),
        "hardware": st.sampled_from([GPU["hardware"], {"device": "cpu", "architecture": "cpu"}]),
    }
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SPECS)
def test_a_spec_that_is_accepted_becomes_a_config_without_a_finding(tree: dict[str, Any]) -> None:
    try:
        checked = check_resolved(resolved_of(merged(SMALL, tree)))
    except Rejected:
        return
    plan = lower_spec(checked)
    assert isinstance(plan, Plan)
    found = judged(plan, plan.target.deepspeed)
    warned = {finding.code for finding in checked.warnings}
    assert [finding for finding in found if finding.split()[0] not in warned] == []
