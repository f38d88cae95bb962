"""Each case directory holds what somebody has, how it is imported, and the exact spec that comes of it."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest
import tomlkit

from cfgc.importing.importer import Outcome, Request, import_file
from cfgc.importing.tree import DiskTree
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import Plan
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir
from tests.golden_text import assert_golden

HERE = Path(__file__).parent / "cases"
CASES = sorted(path.name for path in HERE.iterdir())


def imported(name: str) -> Outcome:
    """What ``cfgc import`` makes of the case, with the words of ``import.txt``."""
    words = argparse.ArgumentParser()
    words.add_argument("file")
    words.add_argument("--with", dest="layers", action="append", default=[])
    words.add_argument("--world-size", type=int)
    words.add_argument("--deepspeed", default="0.19.8")  # and not the newest: a release more changes no case
    words.add_argument("--name", default="")
    given = words.parse_args(shlex.split((HERE / name / "import.txt").read_text()))
    hardware = tuple(path.stem for path in (shipped_dir("specs") / "hardware").iterdir())
    request = Request(given.file, "", tuple(given.layers), given.world_size, given.deepspeed, given.name, hardware)
    return import_file(DiskTree(HERE / name), request)


@pytest.mark.parametrize("name", CASES)
def test_case_becomes_exactly_this_spec(name: str, update_golden: bool) -> None:
    assert_golden(imported(name).text, HERE / name / "expected.toml", update_golden)


@pytest.mark.parametrize("name", CASES)
def test_the_spec_builds(name: str) -> None:
    text = imported(name).text
    plan = plan_spec(MemoryReader({"spec.toml": text}, DiskReader(HERE, shipped_dir("specs"))), "spec.toml")
    assert isinstance(plan, Plan)
    assert plan.batch.global_batch_size == plan.batch.micro_batch_size * plan.batch.gradient_accumulation_steps * (
        plan.topology.data_parallel
    )


@pytest.mark.parametrize("name", CASES)
def test_every_line_says_where_it_comes_from(name: str) -> None:
    text = imported(name).text
    above = ""
    for line in text.partition("[deepspeed.raw]")[0].splitlines():
        element = "[[data.sources]]" in text and re.match(r"(name|path|include|kind) = ", line)
        if " = " in line and not line.startswith("#") and not element:
            assert " # " in line or above.startswith("# "), line
        above = line
    assert tomlkit.parse(text)


@pytest.mark.parametrize("name", CASES)
def test_the_counts_are_those_of_the_text(name: str) -> None:
    outcome = imported(name)
    counts = outcome.counts()
    marks = outcome.text.count("check: ")
    assert bool(counts["doubtful"]) == bool(marks)
    assert marks <= counts["doubtful"]
    assert counts["converted"] > 0


@pytest.mark.parametrize("name", ["deepspeed", "accelerate", "hydra", "ava"])
def test_the_documentation_shows_this_output(name: str, repository: Path) -> None:
    page = (repository / "docs" / "import.md").read_text()
    words = (HERE / name / "import.txt").read_text().strip()
    assert f"cfgc import {words}" in page
    assert (HERE / name / "expected.toml").read_text().strip() in page
