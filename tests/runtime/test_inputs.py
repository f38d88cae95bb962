"""A stage that has begun does not go on beside what an earlier stage made anew."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from cfgc_runtime.attempt import create_attempt
from cfgc_runtime.checkpoints import complete
from cfgc_runtime.errors import BAD_BUNDLE, NO_INPUT, Failure
from cfgc_runtime.identity import record_attempt
from cfgc_runtime.inputs import KEY, check_inputs, read_inputs
from cfgc_runtime.rundir import RunDirectory
from tests.runtime.bundles import HERE, WAIT_S, clean_environment, write_corpus

CHAIN = """
extends = "tiny.toml"

[experiment]
name = "chain"

[launch]
gpus_per_node = 1

[[stages]]
name = "pretrain"
set = { "training.max_steps" = 2, "training.warmup_steps" = 1, "experiment.seed" = SEED }

[[stages]]
name = "finetune"
needs = ["pretrain"]
set = { "model.weights" = "${stages.pretrain.checkpoint}", "checkpoint.every_steps" = 1 }
"""
NOWHERE = SimpleNamespace(base="absolute", name="", path="")


def path_of(base: str, path: str = ".") -> SimpleNamespace:
    return SimpleNamespace(base=base, name="first", path=path)


def training(changed: str = "refuse", weights: SimpleNamespace | None = None) -> Any:
    return SimpleNamespace(
        WORK="train",
        WEIGHTS=weights or path_of("checkpoint"),
        MODEL=SimpleNamespace(kind="decoder"),
        CHECKPOINT=SimpleNamespace(on_changed_numerics=changed),
    )


def task(kind: str, **paths: SimpleNamespace) -> Any:
    checkpoint = path_of("checkpoint") if kind == "export" else NOWHERE
    return SimpleNamespace(TASK=SimpleNamespace(kind=kind, checkpoint=checkpoint, paths=tuple(paths.items())))


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """The second stage, after one that has a checkpoint and has finished."""
    train_first(tmp_path, "0" * 64)
    second = RunDirectory(tmp_path / "second")
    second.root.mkdir()
    return second


def train_first(root: Path, weights: str, seconds: float = 1.0) -> None:
    first = RunDirectory(root / "first")
    shutil.rmtree(first.root, ignore_errors=True)
    place = first.checkpoints / complete.name_of(4)
    place.mkdir(parents=True)
    files: Any = {"weights.pt": {"size": 1, "sha256": weights}}
    complete.write(place, complete.Complete(4, "plan", 1, {}, {}, files, {}))
    first.write_finished("plan", seconds, step=4)


def begin(run: RunDirectory, config: Any) -> None:
    create_attempt(run).reserve(0)
    record_attempt(run, 1, {KEY: read_inputs(run, config)})


def judged(run: RunDirectory, config: Any) -> str:
    return check_inputs(run, config, read_inputs(run, config))


def test_a_training_that_has_saved_is_refused_beside_other_weights(run: RunDirectory) -> None:
    begin(run, training())
    (run.checkpoints / "step-00000002").mkdir(parents=True)
    assert judged(run, training()) == ""
    train_first(run.root.parent, "1" * 64)
    with pytest.raises(Failure) as refused:
        judged(run, training())
    assert refused.value.code == BAD_BUNDLE
    first, change, hint = str(refused.value).splitlines()
    assert first == f"{run.root} began with what an earlier stage made that has run again since:"
    assert change.startswith('  stages.first.checkpoint: "step-00000004 (')
    assert "remove that directory to begin anew, use another --run-dir, or accept it: set checkpoint.on_" in hint
    assert "goes on beside other inputs than it began with: stages.first.ch" in judged(run, training("continue"))
    train_first(run.root.parent, "0" * 64, seconds=2.0)
    assert judged(run, training()) == "", "the same weights are back"


def test_what_begins_anew_takes_what_is_there_now(run: RunDirectory) -> None:
    evaluation = SimpleNamespace(**{**vars(training()), "WORK": "evaluate"})
    for config in (training(), evaluation, task("export")):
        begin(run, config)
        train_first(run.root.parent, "1" * 64)
        assert judged(run, config) == ""
        train_first(run.root.parent, "0" * 64)


@pytest.mark.parametrize("kind", ["function", "script"])
def test_a_task_that_was_started_is_refused_beside_other_results(kind: str, run: RunDirectory) -> None:
    config = task(kind, RESULTS=path_of("stage", "evaluation.json"), ELSEWHERE=NOWHERE)
    create_attempt(run)
    record_attempt(run, 1, {KEY: read_inputs(run, config)})
    train_first(run.root.parent, "0" * 64, seconds=2.0)
    assert judged(run, config) == "", "nothing was started in the attempt"
    create_attempt(run).reserve(0)
    with pytest.raises(Failure, match=r"stages\.first\.run_dir: \"run \w+ \(\w+\)\" → ") as refused:
        judged(run, config)
    assert "on_changed_numerics" not in str(refused.value)


def test_a_model_that_was_written_from_other_weights_is_refused(run: RunDirectory) -> None:
    begin(run, task("export"))
    run.model.mkdir()
    train_first(run.root.parent, "1" * 64)
    with pytest.raises(Failure, match=r"stages\.first\.checkpoint"):
        judged(run, task("export"))


def test_paths_that_no_stage_writes_are_no_inputs(run: RunDirectory) -> None:
    assert read_inputs(run, training(weights=NOWHERE)) == {}
    assert read_inputs(run, task("script", BOOKS=NOWHERE)) == {}
    shutil.rmtree(run.root.parent / "first")
    with pytest.raises(Failure, match="the stage first has no whole checkpoint") as refused:
        read_inputs(run, training())
    assert refused.value.code == NO_INPUT


def compile_chain(directory: Path, seed: int) -> None:
    project = directory / f"project-{seed}"
    project.mkdir()
    shutil.copy(HERE / "tiny.toml", project)
    (project / "chain.toml").write_text(CHAIN.replace("SEED", str(seed)))
    write_bundle(compile_spec(DiskReader(project, shipped_dir("specs")), "chain.toml"), directory / f"seed-{seed}")


def start(directory: Path, seed: int, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [directory / f"seed-{seed}" / "launch.sh", "--run-dir", directory / "run"],
        cwd=directory,
        env=clean_environment(directory) | environment,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


@pytest.mark.slow
def test_a_chain_does_not_mix_old_and_new_weights(tmp_path: Path) -> None:
    compile_chain(tmp_path, 1)
    compile_chain(tmp_path, 2)
    write_corpus(tmp_path / "text")
    first, second = (tmp_path / "run" / "stages" / name for name in ("pretrain", "finetune"))
    assert start(tmp_path, 1, TEST_KILL="0:12").returncode != 0
    assert any((second / "checkpoints").iterdir()), "it has begun"

    first.rename(tmp_path / "kept")
    refused = start(tmp_path, 2)
    assert refused.returncode == BAD_BUNDLE, refused
    assert f"{second} began with what an earlier stage made that has run again since:" in refused.stderr
    assert "stage finetune ended with exit code 65" in refused.stderr
    assert [path.name for path in (second / "attempts").iterdir()] == ["001"], "it used up no attempt"

    shutil.rmtree(first)
    (tmp_path / "kept").rename(first)
    done = start(tmp_path, 1)
    assert done.returncode == 0, done
    assert json.loads((second / "finished.json").read_bytes())["step"] == 12
