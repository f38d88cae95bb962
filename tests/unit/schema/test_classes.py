"""Every key says what a change of it changes, and why."""

from __future__ import annotations

import pytest

from cfgc.schema.catalogue import SchemaField
from cfgc.schema.classes import class_of, classed_at
from tools.executed_keys import all_keys


@pytest.mark.parametrize("key", list(all_keys()), ids=lambda key: key.dotted)
def test_every_key_says_why_it_has_its_class(key: SchemaField) -> None:
    why = key.meta.why
    assert why.endswith(".")
    assert why[0].isupper()
    assert "|" not in why
    assert len(why) <= 120
    assert class_of(key.path) == key.field_class


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (("data", "sources", 0, "name"), "logistics"),
        (("data", "sources", 0, "path", "env"), "numerics"),
        (("task", "paths", "OUT", "path"), "numerics"),
        (("deepspeed", "raw", "reason"), "logistics"),
        (("deepspeed", "raw", "steps_per_print"), "logistics"),
        (("deepspeed", "raw", "zero_optimization", "stage3_prefetch_bucket_size"), "resources"),
        (("deepspeed", "raw", "amp", "opt_level"), "numerics"),
        (("deepspeed", "raw", "nobody", "knows"), "numerics"),
        (("env", "variables", "WANDB_MODE"), "logistics"),
        (("env", "variables", "NCCL_DEBUG"), "logistics"),
        (("cluster", "environment", "NCCL_IB_HCA"), "resources"),
        (("env", "variables", "NVIDIA_TF32_OVERRIDE"), "numerics"),
        (("env", "variables", "MY_LOSS"), "numerics"),
    ],
)
def test_a_value_inside_a_key_has_a_class_of_its_own(place: tuple[str | int, ...], kind: str) -> None:
    assert class_of(place) == kind


def test_a_table_has_no_class() -> None:
    assert classed_at(("training",)) is None
    assert classed_at(("nobody",)) is None
