"""What the commands say of a pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE, run
from tests.unit.stages.test_pipelines import TASK, TRAINING

CHAIN = """
[[stages]]
name = "train"
set = { "training.max_steps" = 4 }

[[stages]]
name = "report"
needs = ["train"]
spec = "report.toml"
set = { "task.paths" = { CURVE = "${stages.train.run_dir}/metrics.jsonl" } }
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chain.toml").write_text(TRAINING + CHAIN)
    (tmp_path / "report.toml").write_text(TASK)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def test_all_stages_are_checked_in_one_call(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "check", "chain.toml")
    assert (code, err.strip()) == (EXIT_OK, "1 of 1 spec holds")
    (project / "report.toml").write_text(TASK.replace("[task]", "[launch]\nnodes = 0\n[task]"))
    code, _, err = said(capsys, "check", "chain.toml")
    assert code == EXIT_REJECTED
    assert "report.toml:9:9" in err
    assert "in the stage `report`" in err


def test_a_pipeline_is_built_as_one_bundle(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "build", "chain.toml", "-o", "out")[0] == EXIT_OK
    assert sorted(path.name for path in (project / "out" / "stages").iterdir()) == ["report", "train"]
    assert "unchanged" in said(capsys, "build", "chain.toml", "-o", "out")[2]


def test_a_value_of_a_stage_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "explain", "chain.toml", "stages.train.training.max_steps")
    assert code == EXIT_OK
    assert out.startswith("training.max_steps = 4 ")
    assert [line.split()[:2] for line in out.splitlines()[4:6]] == [["4", "stage"], ["10", "spec"]]
    assert "training.max_steps = 10" in said(capsys, "explain", "chain.toml", "training.max_steps")[1]
    assert said(capsys, "explain", "chain.toml", "stages.train.training.max_stepz")[0] == EXIT_USAGE


def test_every_stage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    tree = json.loads(said(capsys, "show", "chain.toml", "--format", "json")[1])
    assert tree["stages"]["train"]["training"]["max_steps"] == 4
    assert tree["stages"]["report"]["task"]["paths"] == {"CURVE": "stage:train:run_dir/metrics.jsonl"}
    assert [line for line in said(capsys, "show", "chain.toml")[1].splitlines() if line.startswith("# stage")] == [
        "# stage train",
        "# stage report",
    ]
