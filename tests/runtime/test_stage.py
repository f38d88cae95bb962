"""A run directory gets its bundle once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cfgc_runtime.attempt import newest_attempt
from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.manifest import read_manifest
from cfgc_runtime.rundir import RunDirectory, write_json
from cfgc_runtime.stage import stage_bundle
from tests.runtime.bundles import HERE, compile_tiny

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "run")


def test_each_start_is_an_attempt_on_the_first_copy(tmp_path: Path, run: RunDirectory) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    assert "attempt 1 " in stage_bundle(bundle, run)
    assert "attempt 2 " in stage_bundle(bundle, run)
    assert newest_attempt(run).path.name == "002"
    assert (run.bundle / "config.py").read_bytes() == (bundle / "config.py").read_bytes()


def test_the_same_plan_rebuilt_with_other_bytes_keeps_the_first_copy(tmp_path: Path, run: RunDirectory) -> None:
    stage_bundle(compile_tiny(tmp_path / "bundle"), run)
    first = (run.bundle / "manifest.json").read_bytes()
    (tmp_path / "tiny.toml").write_text(
        (HERE / "tiny.toml").read_text().replace('name = "tiny"', 'name = "tiny" # new')
    )
    rebuilt = compile_tiny(tmp_path / "other", "training.max_steps=12", project=tmp_path)
    assert "rebuilt since" in stage_bundle(rebuilt, run)
    assert (run.bundle / "manifest.json").read_bytes() == first


def test_another_plan_is_refused(tmp_path: Path, run: RunDirectory) -> None:
    stage_bundle(compile_tiny(tmp_path / "bundle"), run)
    with pytest.raises(Failure, match="belongs to another plan") as caught:
        stage_bundle(compile_tiny(tmp_path / "other", "training.max_steps=13"), run)
    assert caught.value.code == BAD_BUNDLE


def test_a_staged_copy_that_was_edited_is_refused(tmp_path: Path, run: RunDirectory) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    stage_bundle(bundle, run)
    (run.bundle / "config.py").write_text("X = 1\n")
    with pytest.raises(Failure, match=r"edited: config\.py"):
        stage_bundle(bundle, run)


def test_a_finished_run_opens_no_attempt(tmp_path: Path, run: RunDirectory) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    stage_bundle(bundle, run)
    write_json(run.finished, {"plan_digest": read_manifest(bundle).plan_digest, "seconds": 1.0})
    assert "already finished" in stage_bundle(bundle, run)
    assert newest_attempt(run).path.name == "001"
