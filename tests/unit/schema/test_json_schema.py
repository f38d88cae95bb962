"""The JSON Schema that editors read: current, and of one mind with the compiler about single values."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from cfgc.cli.schemas import config_schema, spec_schema
from cfgc.deepspeed.releases import known_releases
from cfgc.schema.catalogue import catalogue
from tests.conftest import REPOSITORY
from tests.golden_text import assert_golden

SCHEMA = json.loads(spec_schema())
VALIDATOR = Draft7Validator(SCHEMA)
SPECS = sorted(
    [
        *REPOSITORY.glob("specs/**/*.toml"),
        *REPOSITORY.glob("tests/golden/*/*.toml"),
        *REPOSITORY.glob("out/*/resolved.toml"),
    ]
)


def refused(text: str) -> list[str]:
    """Paths of what the schema refuses."""
    errors = VALIDATOR.iter_errors(tomllib.loads(text))
    return sorted(".".join(map(str, error.absolute_path)) for error in errors)


def test_the_committed_schema_is_what_the_catalogue_says(repository: Path, update_golden: bool) -> None:
    assert_golden(spec_schema(), repository / "docs" / "cfgc.schema.json", update_golden)


def test_it_is_a_schema_of_draft_7() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_every_good_spec_is_accepted(spec: Path) -> None:
    assert refused(spec.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[training]\nlearning_rte = 1e-3", "training"),
        ("[training]\nbatch_size = 8", "training.batch_size"),
        ("[trainer]\ndevices = 8", "trainer"),
        ("lr = 1", ""),
        ('[training]\nmax_steps = "100"', "training.max_steps"),
        ("[training]\nmax_steps = 0", "training.max_steps"),
        ("[training]\nlearning_rate = 11", "training.learning_rate"),
        ('[training]\nprecision = "bf61"', "training.precision"),
        ("[training]\noptimizer = 'adamw'", "training.optimizer"),
        ("[training.optimizer]\nbetas = [0.9]", "training.optimizer.betas"),
        ("[model]\ntie_embeddings = 1", "model.tie_embeddings"),
        ("[deepspeed.zero]\nstage = 4", "deepspeed.zero.stage"),
        ('[launch]\ntime_limit = "2 hours"', "launch.time_limit"),
        ('[hardware]\nmemory = "80 gigabytes"', "hardware.memory"),
        ("[overlays]\nzero = 3", "overlays.zero"),
        ('[[data.sources]]\nname = "a"', "data.sources.0"),
        ('[[data.sources]]\nname = "a"\npath = { evn = "X" }', "data.sources.0.path"),
        ('[env.variables]\n"A B" = "x"', "env.variables"),
        ('[cluster]\npartition = "a b"', "cluster.partition"),
        ('[experiment]\nname = "a/b"', "experiment.name"),
        ('unset = "training"', "unset"),
    ],
)
def test_a_mistake_is_marked_where_it_is(text: str, where: str) -> None:
    assert where in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "[training]\nmax_steps = 1e5",
        '[training]\nwarmup_steps = "${training.max_steps // 20}"',
        '[data]\nshuffle = "${training.max_steps > 3}"',
        '[launch]\ntime_limit = "1-12:00:00"\ntimeout = 90\nsignal_lead = "1.5h"',
        '[hardware]\nmemory = "80GiB"',
        '[launch]\nrun_dir = { env = "SCRATCH", path = "runs" }',
        '[append]\n"data.sources" = [{ name = "b", path = "b" }]',
        '[overlays]\nmine = "own"',
        'extends = ["cfgc:bases/small.toml", "mine.toml"]\nunset = ["training.max_steps"]',
        '[deepspeed.raw]\nreason = "x"\nanything = { at = "all" }',
    ],
)
def test_what_the_language_allows_is_not_marked(text: str) -> None:
    assert refused(text) == []


def at(path: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA
    for part in path:
        found = next(one for one in (found, *found.get("anyOf", ())) if "properties" in one)["properties"][part]
    return found


def test_every_key_is_described_with_its_default() -> None:
    for field in catalogue():
        assert at(field.path)["description"].startswith(field.doc), field.dotted
    assert at(("training", "learning_rate"))["default"] == 3e-4
    assert at(("launch", "time_limit"))["default"] == "24:00:00"


def test_what_is_not_supported_yet_and_names_of_other_systems_are_marked() -> None:
    choices = at(("training", "precision"))["anyOf"]
    assert ["fp32", "bf16", "fp16"] in [choice.get("enum") for choice in choices]
    assert [choice["deprecated"] for choice in choices if "fp8" in choice.get("enum", ())] == [True]
    assert "leave it out" in at(("checkpoint", "asynchronous"))["description"]
    assert at(("training", "batch_size"))["deprecated"] is True
    assert "`training.micro_batch_size`" in at(("training", "batch_size"))["description"]


@pytest.mark.parametrize("version", [known_releases()[0], known_releases()[-1]])
def test_a_ds_config_has_a_schema_for_each_release(version: str) -> None:
    schema = json.loads(config_schema(version))
    Draft7Validator.check_schema(schema)
    validator = Draft7Validator(schema)
    good = {"train_batch_size": "auto", "zero_optimization": {"stage": 2}, "gradient_clipping": 1.0}
    assert [error.message for error in validator.iter_errors(good)] == []
    for bad in ({"gradient_acumulation_steps": 1}, {"zero_optimization": {"stage": "x"}}, {"gradient_clipping": "1"}):
        assert not validator.is_valid(bad)
