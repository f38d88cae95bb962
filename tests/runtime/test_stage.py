"""A run directory gets its bundle once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from cfgc_runtime import releases
from cfgc_runtime.attempt import newest_attempt
from cfgc_runtime.errors import BAD_BUNDLE, WRONG_WORLD, Failure
from cfgc_runtime.finish import describe_run
from cfgc_runtime.lock import alone, running, supervising
from cfgc_runtime.manifest import read_manifest
from cfgc_runtime.rundir import RunDirectory, write_json
from cfgc_runtime.stage import stage_bundle
from tests.runtime.bundles import HERE, clean_environment, compile_tiny, write_corpus

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "run")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the data is."""
    write_corpus(tmp_path / "text")
    monkeypatch.chdir(tmp_path)


def start_something(run: RunDirectory) -> None:
    """So that the newest attempt was one."""
    newest_attempt(run).reserve(0)


def test_each_start_is_an_attempt_on_the_first_copy(tmp_path: Path, run: RunDirectory) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    assert "attempt 1 " in stage_bundle(bundle, run)
    start_something(run)
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


def test_a_plan_that_trains_otherwise_is_refused_with_every_difference(tmp_path: Path, run: RunDirectory) -> None:
    stage_bundle(compile_tiny(tmp_path / "bundle"), run)
    other = compile_tiny(
        tmp_path / "other", "training.max_steps=13", "training.optimizer.eps=1e-7", "launch.timeout=1h"
    )
    before = sorted(run.root.rglob("*"))
    with pytest.raises(Failure) as caught:
        stage_bundle(other, run)
    assert caught.value.code == BAD_BUNDLE
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{run.root} trains with other values, and its loss curve would change:"
    assert lines[1:3] == ["  training.max_steps: 12 → 13", "  training.optimizer.eps: 1e-08 → 1e-07"]
    assert 'set checkpoint.on_changed_numerics = "continue" in the spec' in lines[3]
    assert sorted(run.root.rglob("*")) == before


@pytest.mark.covers("checkpoint.on_changed_numerics")
def test_a_plan_that_trains_otherwise_is_taken_when_the_spec_says_so(tmp_path: Path, run: RunDirectory) -> None:
    first = compile_tiny(tmp_path / "bundle")
    stage_bundle(first, run)
    start_something(run)
    write_json(run.finished, {"plan_digest": read_manifest(first).plan_digest, "seconds": 1.0})
    longer = compile_tiny(tmp_path / "other", "training.max_steps=13", "checkpoint.on_changed_numerics=continue")
    line = stage_bundle(longer, run)
    assert "attempt 2 " in line
    assert "goes on with the new bundle (the old one is bundle-001): training.max_steps: 12 → 13" in line
    assert not run.finished.exists()


def test_a_plan_that_trains_the_same_takes_the_place_of_the_old_one(tmp_path: Path, run: RunDirectory) -> None:
    first = compile_tiny(tmp_path / "bundle")
    stage_bundle(first, run)
    other = compile_tiny(tmp_path / "other", "launch.timeout=1h", "checkpoint.keep_last=1")
    line = stage_bundle(other, run)
    changed = 'checkpoint.keep_last: 3 → 1, launch.timeout: 1800 → "1h", launch.watchdog: 900 → 1800'
    assert line.endswith(f"(the old one is bundle-001): {changed}"), line
    assert read_manifest(run.bundle) == read_manifest(other)
    assert read_manifest(run.root / "bundle-001") == read_manifest(first)
    assert "bundle-002" in stage_bundle(first, run)
    write_json(run.finished, {"plan_digest": read_manifest(first).plan_digest, "seconds": 1.0})
    assert "already finished" in stage_bundle(other, run)


def test_an_exchange_that_was_cut_off_is_done_again(tmp_path: Path, run: RunDirectory) -> None:
    stage_bundle(compile_tiny(tmp_path / "bundle"), run)
    run.bundle.rename(run.root / "bundle-001")
    other = compile_tiny(tmp_path / "other", "launch.timeout=1h")
    assert "the old one is bundle-001" in stage_bundle(other, run)
    with pytest.raises(Failure, match=r"experiment\.seed: 7 → 8"):
        stage_bundle(compile_tiny(tmp_path / "third", "experiment.seed=8"), run)


def test_ranks_may_change_until_state_is_saved_and_then_only_if_the_spec_says_so(
    tmp_path: Path, run: RunDirectory
) -> None:
    stage_bundle(compile_tiny(tmp_path / "bundle"), run)
    one = compile_tiny(tmp_path / "one", "launch.gpus_per_node=1")
    elastic = compile_tiny(tmp_path / "elastic", "launch.gpus_per_node=1", "checkpoint.elastic=true")
    staged = compile_tiny(tmp_path / "stage", "launch.gpus_per_node=1", "checkpoint.elastic=true", "zero=3")
    (run.checkpoints / "step-00000004").mkdir(parents=True)
    with pytest.raises(
        Failure, match=r"cut for other ranks:\n  launch.gpus_per_node: 2 → 1\n.*checkpoint.elastic = true"
    ):
        stage_bundle(one, run)
    with pytest.raises(Failure, match=r"another ZeRO stage.*\n  deepspeed.zero.stage: 2 → 3"):
        stage_bundle(staged, run)
    assert "launch.gpus_per_node: 2 → 1" in stage_bundle(elastic, run)
    (run.checkpoints / "step-00000004").rmdir()
    assert "launch.gpus_per_node: 1 → 2" in stage_bundle(compile_tiny(tmp_path / "two"), run)


def test_a_staged_copy_that_was_edited_is_refused(tmp_path: Path, run: RunDirectory) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    stage_bundle(bundle, run)
    (run.bundle / "config.py").write_text("X = 1\n")
    for source in (bundle, run.bundle):
        with pytest.raises(Failure, match=r"edited: config\.py\n.*remove that directory and start again") as caught:
            stage_bundle(source, run)
        assert "rebuild" not in str(caught.value)
    shutil.rmtree(run.bundle)
    start_something(run)
    assert "attempt 2 " in stage_bundle(bundle, run)


def test_a_refused_start_leaves_no_trace(tmp_path: Path, run: RunDirectory) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    stage_bundle(bundle, run)
    start_something(run)
    before = sorted(run.root.rglob("*"))
    with running(run), pytest.raises(Failure, match="is in use: this run was already started") as caught:
        stage_bundle(bundle, run)
    assert caught.value.code == BAD_BUNDLE
    assert sorted(run.root.rglob("*")) == before
    assert "attempt 2 " in stage_bundle(bundle, run)


def test_one_supervisor_a_node_and_no_new_attempt_beside_any(run: RunDirectory) -> None:
    run.root.mkdir()
    with supervising(run, "0"), supervising(run, "1"):
        with pytest.raises(Failure, match="is in use"), supervising(run, "1"):
            pass
        with pytest.raises(Failure, match="is in use"), alone(run):
            pass
    with alone(run):
        pass


@pytest.mark.parametrize(
    "content", ["", '{"plan_dig', "[]", "{}", "DIGEST ONLY"], ids=["empty", "cut", "list", "nothing", "half"]
)
def test_a_damaged_end_is_said_and_ignored(tmp_path: Path, run: RunDirectory, content: str) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    stage_bundle(bundle, run)
    digest = read_manifest(bundle).plan_digest
    run.finished.write_text(json.dumps({"plan_digest": digest}) if content == "DIGEST ONLY" else content)
    assert "tiny has not trained yet" in describe_run(run)
    assert "finished.json is damaged and ignored" in stage_bundle(bundle, run)


def test_what_a_killed_copy_left_behind_is_removed(tmp_path: Path, run: RunDirectory) -> None:
    (run.root / ".bundle.123").mkdir(parents=True)
    stage_bundle(compile_tiny(tmp_path / "bundle"), run)
    assert sorted(path.name for path in run.root.iterdir()) == [".lock", "attempts", "bundle", "run.json"]
    assert read_manifest(run.bundle).plan_digest == json.loads(run.identity.read_text())["plan_digest"]


def test_a_run_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-B", str(compile_tiny(tmp_path / "bundle") / "runtime"), "stage"]
    done = subprocess.run(
        [*command, "--run-dir", str(tmp_path / "file" / "run")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 73
    assert f"the run directory {tmp_path}/file/run cannot be written (Not a directory: " in done.stderr
    assert "--run-dir DIR" in done.stderr


def test_a_missing_package_is_said_before_anything_is_written(tmp_path: Path) -> None:
    command = [sys.executable, "-B", str(compile_tiny(tmp_path / "bundle") / "runtime"), "stage"]
    environment = clean_environment(tmp_path) | {"TEST_HIDE": "deepspeed torch"}
    done = subprocess.run(
        [*command, "--run-dir", str(tmp_path / "run")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 78, done
    install = "-m pip install torch==2.13.0 deepspeed==0.19.8"
    assert f"has no torch and no deepspeed: {sys.executable} {install}" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("installed", "sentence"),
    [
        ({"torch": "2.13.0", "deepspeed": "0.19.8"}, None),
        ({"torch": "2.13.1", "deepspeed": "0.19.8"}, None),
        ({"torch": "2.12.0", "deepspeed": "0.19.8"}, r"torch 2\.12\.0 is installed.*set target\.torch in the spec"),
        ({"torch": "2.13.0", "deepspeed": "0.19.7"}, r"deepspeed 0\.19\.7 is installed.*set target\.deepspeed"),
    ],
)
def test_other_releases_are_refused(
    monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], sentence: str | None
) -> None:
    monkeypatch.setattr(releases, "installed_releases", lambda: installed)
    target: Any = SimpleNamespace(torch="2.13.0", deepspeed="0.19.8")
    if sentence is None:
        releases.check_releases(target)
        return
    with pytest.raises(Failure, match=sentence) as caught:
        releases.check_releases(target)
    assert caught.value.code == WRONG_WORLD


def test_the_suffix_of_a_local_build_does_not_count() -> None:
    assert releases.installed_releases()["torch"] == torch.__version__.partition("+")[0]


def test_a_finished_run_opens_no_attempt(tmp_path: Path, run: RunDirectory) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    stage_bundle(bundle, run)
    write_json(run.finished, {"plan_digest": read_manifest(bundle).plan_digest, "seconds": 1.0})
    assert "already finished" in stage_bundle(bundle, run)
    assert newest_attempt(run).path.name == "001"


def test_a_finished_task_names_no_metrics_and_no_checkpoint(tmp_path: Path, run: RunDirectory) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    stage_bundle(bundle, run)
    run.write_finished(read_manifest(bundle).plan_digest, 7.0, step=0)
    assert "already finished" in stage_bundle(bundle, run)
    assert describe_run(run).splitlines() == ["tiny is finished: it took 7 s", f"bundle      {run.bundle}"]
