"""A pipeline on one machine: training, its worth, an export and a report, each from what came before."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file

from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from cfgc_runtime.checkpoints.weights import first_weights
from cfgc_runtime.config import load_config
from cfgc_runtime.errors import BAD_CHECKPOINT, FINISHED, NO_INPUT, PREEMPTED, Failure
from cfgc_runtime.export.exporting import Export, export_checkpoint
from cfgc_runtime.export.task import run_export
from cfgc_runtime.models.decoder import Decoder
from cfgc_runtime.rundir import RUN_DIR_VARIABLE, RunDirectory, expand
from tests.runtime.bundles import HERE, WAIT_S, clean_environment, write_corpus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.runtime.bundles import Run

TOLERANCE = 1e-5
"""Relative; the evaluation has one rank where the training had two."""


def start(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [directory / "bundle" / "launch.sh", "--run-dir", directory / "run"],
        cwd=directory,
        env=clean_environment(directory),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.covers("task.checkpoint", "task.dtype", "task.format", "task.kind", "task.paths", "stages.needs")
def test_each_stage_goes_on_from_what_came_before(tmp_path: Path) -> None:
    bundle = compile_spec(DiskReader(HERE, shipped_dir("specs")), "pipeline.toml")
    write_bundle(bundle, tmp_path / "bundle")
    write_corpus(tmp_path / "text")
    done = start(tmp_path)
    assert done.returncode == 0, (done.stdout, done.stderr)
    stages = tmp_path / "run" / "stages"

    metrics = [json.loads(line) for line in (stages / "pretrain" / "metrics.jsonl").read_text().splitlines()]
    trained = [line["eval_loss"] for line in metrics if "eval_loss" in line][-1]
    results = json.loads((stages / "judge" / "evaluation.json").read_text())
    assert results["loss"] == pytest.approx(trained, rel=TOLERANCE)
    assert (results["step"], results["samples"]) == (4, 20)
    assert Path(results["checkpoint"]) == stages / "pretrain" / "checkpoints" / "step-00000004"

    weights = load_file(stages / "publish" / "model" / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.bfloat16}
    assert json.loads((stages / "report" / "results.json").read_text()) == results
    assert (stages / "report" / "checkpoint").read_text().strip() == "step-00000004"

    again = start(tmp_path)
    assert again.returncode == 0
    assert again.stdout.count("has finished already") == 4
    assert {len(list((stage / "attempts").iterdir())) for stage in stages.iterdir()} == {1}


def planned(weights: Path, **more: Any) -> Any:
    place = SimpleNamespace(base="absolute", name="", path=str(weights))
    return SimpleNamespace(WEIGHTS=place, ZERO_STAGE=0, **more)


ALONE: Any = SimpleNamespace(rank=0)


@pytest.mark.slow
@pytest.mark.covers("model.weights")
@pytest.mark.parametrize("overrides", [(), ("zero=3",)], ids=["zero-2", "zero-3"])
def test_a_training_begins_with_the_weights_of_another(
    overrides: tuple[str, ...], tmp_path: Path, finished: Callable[..., Run]
) -> None:
    run = finished(*overrides)
    export_checkpoint(Export(run.directory, tmp_path / "model", "safetensors", "fp32"), lambda _done, _total: None)
    shape = load_config(run.directory / "bundle" / "config.py").MODEL
    assert shape.kind == "decoder"
    model = Decoder(shape)
    source = first_weights(planned(run.directory), RunDirectory(tmp_path / "run"), model, ALONE)
    assert source is not None
    assert source.found.step == 12
    own = model.state_dict()
    for name, weight in load_file(tmp_path / "model" / "model.safetensors").items():
        assert torch.equal(own[name], weight), name


@pytest.mark.slow
def test_weights_of_another_model_are_refused(tmp_path: Path, finished: Callable[..., Run]) -> None:
    run = finished()
    config = load_config(run.directory / "bundle" / "config.py")
    config.MODEL = SimpleNamespace(**{**_values(config.MODEL), "num_layers": 3})
    with pytest.raises(Failure, match="is of another model: it has not the same weights") as refused:
        first_weights(planned(run.directory), RunDirectory(tmp_path / "run"), Decoder(config.MODEL), ALONE)
    assert refused.value.code == BAD_CHECKPOINT


@pytest.mark.slow
def test_an_export_that_is_asked_to_stop_leaves_nothing_and_begins_anew(
    tmp_path: Path, finished: Callable[..., Run]
) -> None:
    place = planned(finished().directory).WEIGHTS
    task: Any = SimpleNamespace(checkpoint=place, format="safetensors", dtype="")
    run = RunDirectory(tmp_path)
    (tmp_path / ".model.123").mkdir()  # of an attempt that was killed
    stopping: Any = SimpleNamespace(requested=True)
    assert run_export(task, run, stopping) == PREEMPTED
    assert list(tmp_path.iterdir()) == []
    going: Any = SimpleNamespace(requested=False)
    assert run_export(task, run, going) == FINISHED
    assert run_export(task, run, going) == FINISHED, "it is there already"
    assert sorted(path.name for path in run.model.iterdir()) == ["config.json", "model.safetensors"]


def test_a_run_that_has_a_checkpoint_keeps_its_weights(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / "step-00000002").mkdir(parents=True)
    assert first_weights(planned(tmp_path / "gone"), RunDirectory(tmp_path), torch.nn.Linear(1, 1), ALONE) is None


def test_paths_of_other_stages_lie_beside_the_runs_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_DIR_VARIABLE, str(tmp_path / "stages" / "judge"))
    path: Any = SimpleNamespace(base="stage", name="train", path="metrics.jsonl")
    assert expand(path) == tmp_path / "stages" / "train" / "metrics.jsonl"


def test_a_stage_without_a_checkpoint_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_DIR_VARIABLE, str(tmp_path / "judge"))
    (tmp_path / "train" / "checkpoints" / "step-00000002").mkdir(parents=True)  # and no complete.json
    path: Any = SimpleNamespace(base="checkpoint", name="train", path=".")
    with pytest.raises(Failure, match="the stage train has no whole checkpoint") as refused:
        expand(path)
    assert refused.value.code == NO_INPUT


def _values(model: object) -> dict[str, Any]:
    return {name: getattr(model, name) for name in dir(model) if not name.startswith("_")}
