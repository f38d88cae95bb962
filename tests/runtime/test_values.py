"""What differs between two bundles, and whether a run may go on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.guard import check_changes, summary
from cfgc_runtime.values import ABSENT, Difference, compare, read_values
from tests.runtime.bundles import compile_tiny

if TYPE_CHECKING:
    from pathlib import Path

Groups = dict[str, dict[str, Any]]


def values(**groups: dict[str, Any]) -> Groups:
    return {"numerics": {}, "resources": {}, "logistics": {}, "ds_config": {}} | groups


def refused(old: Groups, new: Groups, saved: bool = True) -> str:
    with pytest.raises(Failure) as caught:
        check_changes(compare(old, new), new, BAD_BUNDLE, "runs/x", saved)
    assert caught.value.code == BAD_BUNDLE
    return str(caught.value)


def allowed(old: Groups, new: Groups, saved: bool = True) -> str:
    found = compare(old, new)
    check_changes(found, new, BAD_BUNDLE, "runs/x", saved)
    return summary(found)


def test_equal_numbers_are_equal_however_they_are_written() -> None:
    assert compare(values(numerics={"a": 1}), values(numerics={"a": 1.0})) == []
    assert compare(values(numerics={"a": [1, {"b": 2}]}), values(numerics={"a": [1.0, {"b": 2}]})) == []
    assert compare(values(numerics={"a": 1}), values(numerics={"a": True})) != []
    assert compare(values(numerics={"a": [{"b": 1}]}), values(numerics={"a": [{"b": True}]})) != []
    assert compare(values(), values(numerics={"a": ABSENT})) != []


def test_numerics_come_first_and_what_is_gone_or_new_is_shown() -> None:
    old = values(numerics={"b": 1, "gone": "x"}, logistics={"a": 1})
    new = values(numerics={"b": 2, "new": None}, logistics={"a": 2})
    assert [str(one) for one in compare(old, new)] == ["b: 1 → 2", 'gone: "x" → —', "new: — → null", "a: 1 → 2"]


def test_a_key_has_the_class_of_the_newer_side() -> None:
    [found] = compare(values(numerics={"a": 1}), values(resources={"a": 2}))
    assert found == Difference("a", "resources", 1, 2)


def test_a_ds_config_is_named_only_when_nothing_else_explains_it() -> None:
    old, new = values(ds_config={"fp16.enabled": False}), values(ds_config={"fp16.enabled": True})
    assert [str(one) for one in compare(old, new)] == ["ds_config.json fp16.enabled: false → true"]
    assert "ds_config.json fp16.enabled" in refused(old, new)
    new["logistics"]["launch.timeout"] = 1
    assert [one.key for one in compare(old, new)] == ["launch.timeout"]


def test_logistics_and_resources_may_change() -> None:
    old = values(logistics={"launch.timeout": 1}, resources={"training.micro_batch_size": 2})
    new = values(logistics={"launch.timeout": 2}, resources={"training.micro_batch_size": 4})
    assert allowed(old, new) == "training.micro_batch_size: 2 → 4, launch.timeout: 1 → 2"


def test_a_long_list_is_cut() -> None:
    many = values(logistics={f"key{number}": 1 for number in range(7)})
    assert allowed(values(), many).endswith("key3: — → 1 and 3 more")


@pytest.mark.parametrize("key", ["launch.nodes", "deepspeed.offload.optimizer", "deepspeed.zero.sub_group_size"])
def test_what_cuts_saved_state_needs_the_key_that_converts_it(key: str) -> None:
    old, new = values(resources={key: 1}), values(resources={key: 2})
    assert "set checkpoint.elastic = true" in refused(old, new)
    assert allowed(old, new, saved=False) == f"{key}: 1 → 2"
    new["logistics"]["checkpoint.elastic"] = True
    assert allowed(old, new) == f"{key}: 1 → 2, checkpoint.elastic: — → true"


def test_another_zero_stage_is_refused_whatever_the_spec_says() -> None:
    old = values(resources={"deepspeed.zero.stage": 2})
    new = values(resources={"deepspeed.zero.stage": 3}, logistics={"checkpoint.elastic": True})
    assert "another ZeRO stage" in refused(old, new)


def test_a_bundle_has_every_value_by_class_and_those_that_follow(tmp_path: Path) -> None:
    found = read_values(compile_tiny(tmp_path / "bundle"))
    assert found["numerics"]["training.learning_rate"] == 1e-2
    assert found["numerics"]["data.sources.0.include"]
    assert found["logistics"]["data.sources.0.name"] == "text"
    assert found["resources"]["training.gradient_accumulation_steps"] == 2
    assert found["logistics"]["launch.run_dir"] == "runs/tiny"
    assert found["ds_config"]["zero_optimization.stage"] == 2
    keys = [key for kind in ("numerics", "resources", "logistics") for key in found[kind]]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"numerics": 1}'])
def test_values_that_cannot_be_read_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "values.json").write_text(content)
    with pytest.raises(Failure, match="cannot be read"):
        read_values(tmp_path)
    (tmp_path / "values.json").unlink()
    with pytest.raises(Failure, match="an older cfgc compiled it"):
        read_values(tmp_path)
