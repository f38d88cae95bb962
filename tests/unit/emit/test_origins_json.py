"""origins.json: every value's layers as data, newest first, with nothing that a comment or a secret could change."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[2] / "specs" / "examples"

SPEC = """\
extends = "base.toml"

[overlays]
hardware = "cpu"

[training]
max_steps = 40
warmup_steps = "${training.max_steps // 4}"

[launch]
run_dir = { env = "SCRATCH", path = "runs" }
"""
BASE = """\
extends = "cfgc:bases/tiny.toml"

[experiment]
name = "a"

[launch]
gpus_per_node = 1
run_dir = "runs/here"

[[data.sources]]
name = "one"
path = "/data/one"

[env.variables]
SERVICE = "https://user:hunter2hunter2@example.org"
"""


def origins(spec: str, *overrides: str, base: str = BASE) -> dict[str, list[dict[str, Any]]]:
    reader = MemoryReader({"spec.toml": spec, "base.toml": base}, DiskReader(HERE, shipped_dir("specs")))
    bundle = compile_spec(reader, "spec.toml", ("env.variables.SERVICE=https://example.org", *overrides))
    found: dict[str, list[dict[str, Any]]] = json.loads(bundle.files[PurePosixPath("origins.json")])
    return found


def test_a_value_has_all_its_layers_newest_first() -> None:
    assert origins(SPEC, "training.max_steps=48")["training.max_steps"] == [
        {"layer": "command line", "value": 48},
        {"layer": "spec spec.toml", "value": 40},
        {"layer": "base cfgc:bases/tiny.toml", "value": 1000},
    ]


def test_a_computed_value_comes_with_its_text_and_a_replaced_text_without_a_value() -> None:
    assert origins(SPEC)["training.warmup_steps"] == [
        {"layer": "spec spec.toml", "value": 10, "text": "${training.max_steps // 4}"},
        {"layer": "base cfgc:bases/tiny.toml", "text": "${training.max_steps // 20}"},
        {"layer": "default", "value": 0},
    ]


def test_a_derived_value_says_from_what_and_who_unset_the_key() -> None:
    found = origins(SPEC, "~training.micro_batch_size", "training.gradient_accumulation_steps=2")
    assert found["training.micro_batch_size"] == [
        {"derived": "64 / (2 × 1)", "value": 32},
        {"layer": "command line", "unset": True},
        {"layer": "base cfgc:bases/tiny.toml", "value": 16},
    ]


def test_a_default_that_is_back_stands_above_what_was_unset() -> None:
    assert origins(SPEC, "~training.warmup_steps")["training.warmup_steps"][:3] == [
        {"layer": "default", "value": 0},
        {"layer": "command line", "unset": True},
        {"layer": "spec spec.toml", "text": "${training.max_steps // 4}"},
    ]


def test_a_table_in_the_place_of_a_text_names_the_key_of_the_text() -> None:
    assert origins(SPEC)["launch.run_dir.env"] == [
        {"layer": "spec spec.toml", "value": "SCRATCH"},
        {"layer": "base base.toml", "of": "launch.run_dir", "value": "runs/here"},
    ]


def test_elements_of_an_array_have_the_layers_that_gave_them() -> None:
    found = origins(SPEC + '[[append."data.sources"]]\nname = "two"\npath = "/data/two"\n')
    assert found["data.sources.0.name"] == [{"layer": "base base.toml", "value": "one"}]
    assert found["data.sources.1.name"] == [{"layer": "spec spec.toml", "value": "two"}]
    replaced = origins(SPEC + '[[data.sources]]\nname = "two"\npath = "/data/two"\n')
    assert replaced["data.sources.0.name"] == [
        {"layer": "spec spec.toml", "value": "two"},
        {"layer": "base base.toml", "value": "one"},
    ]


def test_a_replaced_secret_is_dots() -> None:
    steps = origins(SPEC)["env.variables.SERVICE"]
    assert [step["value"] for step in steps] == ["https://example.org", "https://•••••••••••••••••••@example.org"]


def test_what_json_does_not_have_is_text() -> None:
    odd = BASE.replace("gpus_per_node = 1", "gpus_per_node = 1\ntime_limit = 2026-01-01")
    found = origins(SPEC, "launch.time_limit=60min", base=odd)
    assert [step["value"] for step in found["launch.time_limit"]][:2] == ["60min", "2026-01-01"]


def test_a_comment_in_a_base_changes_nothing() -> None:
    assert origins(SPEC, base=f"# a comment\n\n{BASE}") == origins(SPEC)


@pytest.mark.parametrize("name", ["quickstart", "16xh100-zero3", "sft-aligner"])
def test_the_keys_and_the_newest_values_are_those_of_values_json(name: str) -> None:
    bundle = compile_spec(DiskReader(HERE.parents[2], shipped_dir("specs")), f"specs/examples/{name}.toml")
    values = json.loads(bundle.files[PurePosixPath("values.json")])
    of_the_spec = {key: value for kind in ("numerics", "resources", "logistics") for key, value in values[kind].items()}
    found = json.loads(bundle.files[PurePosixPath("origins.json")])
    assert {key: steps[0]["value"] for key, steps in found.items()} == of_the_spec
