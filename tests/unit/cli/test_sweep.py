"""``cfgc sweep`` and what the other commands say of a sweep."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE, run
from cfgc_runtime.attempt import create_attempt
from cfgc_runtime.manifest import read_manifest
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.sharing import select_point
from tests.unit.sweep.specs import TRAINING, grid

SPEC = grid("training.learning_rate = [1e-3, 2e-3, 3e-3]")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lr.toml").write_text(SPEC)
    (tmp_path / "one.toml").write_text(TRAINING)
    assert run(["build", "lr.toml", "-o", "out/lr"]) == EXIT_OK
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def went(project: Path) -> Path:
    """A run directory in which point 0 failed, point 2 finished with a loss, and point 1 was never started."""
    for index in (0, 2):
        here = RunDirectory(project / "runs" / "points" / f"{index:04d}")
        bundle = select_point(project / "out" / "lr", here, index)
        create_attempt(here).record_exit(0, 3 if index == 0 else 0, "the loss is no number" if index == 0 else "")
        if index == 2:
            here.metrics.write_text('{"step": 10, "loss": 2.5, "lr": 0.1}\n{"step": 10, "eval_loss": 2.25}\n')
            here.write_finished(read_manifest(bundle).plan_digest, 4.0, step=10)
    return project / "runs"


def test_points_of_a_spec_and_of_its_bundle_are_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, of_spec, err = said(capsys, "sweep", "lr.toml")
    assert (code, err) == (EXIT_OK, "3 points\n")
    assert [line.split() for line in of_spec.splitlines()[2:]] == [["0", "1e-3"], ["1", "2e-3"], ["2", "3e-3"]]
    assert said(capsys, "sweep", "out/lr") == (EXIT_OK, of_spec, "3 points\n")
    code, out, _ = said(capsys, "sweep", "lr.toml", "--format", "json", "--first", "1")
    assert json.loads(out) == [{"point": 0, "overrides": ["training.learning_rate=1e-3"]}]


def test_an_expression_is_shown_as_what_it_came_to(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = "training.max_steps = [20, 40]"
    logs = 'tracking.log_every_steps = ["${training.max_steps // 10}", 3]'
    (project / "steps.toml").write_text(grid(f"{steps}\n{logs}"))
    code, of_spec, err = said(capsys, "sweep", "steps.toml")
    assert (code, err) == (EXIT_OK, "4 points\n")
    rows = [["0", "20", "2"], ["1", "20", "3"], ["2", "40", "4"], ["3", "40", "3"]]
    assert [line.split() for line in of_spec.splitlines()[2:]] == rows
    assert run(["build", "steps.toml", "-o", "out/steps"]) == EXIT_OK
    assert said(capsys, "sweep", "out/steps") == (EXIT_OK, of_spec, "4 points\n")
    select_point(project / "out" / "steps", RunDirectory(project / "runs" / "points" / "0002"), 2)
    code, out, _ = said(capsys, "sweep", "runs")
    assert sorted(line.split()[:3] for line in out.splitlines()[2:]) == rows
    code, out, _ = said(capsys, "sweep", "out/steps", "--format", "json")
    expression = 'tracking.log_every_steps="${training.max_steps // 10}"'
    assert json.loads(out)[2] == {
        "point": 2,
        "overrides": ["training.max_steps=40", expression],
        "values": {"tracking.log_every_steps": 4},
    }


def test_a_run_directory_shows_the_best_point_first(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = went(project)
    code, out, err = said(capsys, "sweep", str(runs))
    assert code == EXIT_OK
    assert [line.split()[:4] for line in out.splitlines()[2:]] == [
        ["2", "3e-3", "finished", "10/1,000"],
        ["0", "1e-3", "failed", "(3)"],
        ["1", "2e-3", "new", "–"],
    ]
    assert out.splitlines()[2].split()[4:] == ["2.5000", "2.2500"]
    options = f"--run-dir {runs} --points 0"
    again = f"start again: {runs}/bundle/submit.sh {options}, or {runs}/bundle/launch.sh {options}"
    assert err == f"3 points: 1 failed, 1 finished, 1 new; {again}\n"
    assert all((runs / "bundle" / name).is_file() for name in ("submit.sh", "launch.sh"))
    code, out, _ = said(capsys, "sweep", str(runs), "--state", "failed", "--format", "json")
    [point] = json.loads(out)
    assert (point["point"], point["run"]["code"], point["run"]["message"]) == (0, 3, "the loss is no number")


def test_a_state_that_no_point_can_have_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "sweep", str(went(project)), "--state", "bogus")
    assert (code, out) == (EXIT_USAGE, "")
    assert "no point is ever `bogus`; states are running, finished, " in err


def test_points_compare_like_any_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = [str(went(project) / "points" / name) for name in ("0000", "0002")]
    code, out, _ = said(capsys, "runs", "compare", *points, "--format", "json")
    assert code == EXIT_OK
    found = {row["key"]: row["values"] for row in json.loads(out)["differences"]}
    assert found["training.learning_rate"] == [0.001, 0.003]


def test_what_holds_no_sweep_is_a_usage_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is a single run" in said(capsys, "sweep", "one.toml")[2]
    assert said(capsys, "sweep", "one.toml")[0] == EXIT_USAGE
    assert "holds no sweep" in said(capsys, "sweep", ".")[2]
    assert "overrides are for a SPEC" in said(capsys, "sweep", "out/lr", "a.b=1")[2]


def test_a_damaged_list_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "out" / "lr" / "points.jsonl").write_text("{}\n")
    code, out, err = said(capsys, "sweep", "out/lr")
    assert (code, out) == (EXIT_REJECTED, "")
    assert "holds no point" in err


def test_a_point_that_breaks_a_rule_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "sweep", "lr.toml", "sweep.parameters.training.learning_rate=[1e-3, -1.0]")
    assert code == EXIT_REJECTED
    assert "point 1 (training.learning_rate=-1.0): `training.learning_rate` is out of range" in err


def test_explain_says_what_the_sweep_sets(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "explain", "lr.toml", "training.learning_rate")[1]
    assert "the sweep's points set it to [0.001, 0.002, 0.003]  lr.toml:" in out
