"""``cfgc runs``: lists, portraits and comparisons of run directories, whole and damaged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from cfgc.cli import run
from cfgc.runs.facts import read_run
from cfgc_runtime.attempt import Attempt
from cfgc_runtime.rundir import write_json
from tests.unit.cli.run_directories import DIGEST, end, make_run


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of every kind below ``runs``."""
    monkeypatch.chdir(tmp_path)
    runs = Path("runs")
    end(make_run(runs / "good"), 0)
    end(make_run(runs / "sweep" / "fast", rate=3e-3), 75)
    end(make_run(runs / "sweep" / "wild", rate=1.0, steps=10), 3, "the loss of step 11 is not a number")
    make_run(runs / "lost", steps=50)
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text('{"experiment": ')
    (runs / "nothing" / "of" / "interest").mkdir(parents=True)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["runs", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_every_run_is_listed_with_its_state(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys)
    rows = {line.split()[0]: line for line in out.splitlines()[2:]}
    assert code == 0
    assert {name: line.split()[1] for name, line in rows.items()} == {
        "runs/good": "finished",
        "runs/sweep/fast": "preempted",
        "runs/sweep/wild": "failed",
        "runs/lost": "killed",
        "runs/broken": "damaged",
    }
    assert "failed (3)" in rows["runs/sweep/wild"]
    assert "50/100" in rows["runs/lost"]
    assert rows["runs/broken"].endswith("run.json is missing or damaged")


def test_the_list_as_json(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "runs/sweep", "runs/good", "--format", "json")
    runs = {entry["path"]: entry for entry in json.loads(out)}
    assert (code, len(runs)) == (0, 3)
    good = runs["runs/good"]
    assert (good["state"], good["code"], good["step"], good["max_steps"], good["attempts"]) == (
        "finished",
        0,
        100,
        100,
        1,
    )
    assert good["best_eval_loss"] < good["loss"] + 0.2
    assert good["seconds"] == 61.5
    assert runs["runs/sweep/wild"]["message"] == "the loss of step 11 is not a number"


def test_a_run_whose_process_lives_is_running(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Attempt(tree / "runs" / "lost" / "attempts" / "001").record_pid(1, 0, os.getpid())
    _, out, _ = said(capsys, "runs/lost", "--format", "json")
    assert [entry["state"] for entry in json.loads(out)] == ["running"]


def test_a_save_between_two_lines_of_metrics_is_how_far_it_is(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tree / "runs" / "lost" / "checkpoints" / "step-00000053"
    saved.mkdir(parents=True)
    (saved / "complete.json").write_text("{}")
    code, out, _ = said(capsys, "runs/lost", "--format", "json")
    found = {run["path"]: run["step"] for run in json.loads(out)}
    assert (code, found["runs/lost"]) == (0, 53)


@pytest.mark.parametrize(
    ("spec", "step", "shown"),
    [
        ({"task.kind": "evaluate"}, 756, "756"),
        ({"task.kind": "export", "training.max_steps": None}, 0, "–"),
        ({"task.script": "report.py", "training.max_steps": None}, 0, "–"),
        ({"task.kind": "train"}, 0, "0/100"),
    ],
    ids=["evaluation", "export", "task", "training"],
)
def test_only_a_training_has_a_length(
    spec: dict[str, Any],
    step: int,
    shown: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    directory = make_run(Path("one"), steps=0, **spec)
    directory.metrics.unlink()
    write_json(directory.finished, {"plan_digest": DIGEST, "step": step, "seconds": 1.0})
    lines = [line.split() for line in said(capsys, "show", "one")[1].splitlines()]
    assert ["step", shown] in lines
    assert ["held-out", "loss", "–"] in lines, "and not the best of none"
    assert said(capsys, ".")[1].splitlines()[-1].split()[:3] == ["one", "finished", shown]


def test_no_run_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, str(tmp_path))
    assert (code, out) == (0, "")
    assert "no run below" in err
    assert said(capsys, str(tmp_path / "absent"))[0] == 64


def test_one_run_in_full(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "show", "runs/sweep/wild")
    lines = [line.strip() for line in out.splitlines()]
    assert code == 0
    assert "state          failed (3)" in lines
    assert "the loss of step 11 is not a number" in lines
    assert "exit code 3: the loss or the gradient is no longer a number" in lines
    assert f"commit {'0' * 40} with uncommitted changes" in lines
    assert "python 3.11.9 · torch 2.13.0" in lines
    assert said(capsys, "show", "runs/nothing")[0] == 64
    assert said(capsys, "show", "runs/broken")[0] == 1


def test_what_differs_between_runs(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "compare", "runs/good", "runs/sweep/fast", "runs/broken")
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert rows[-1] == ["numerics", "training.learning_rate", "0.001", "0.003", "–"]
    assert ["result", "state", "finished", "preempted", "damaged"] in rows
    code, out, _ = said(capsys, "compare", "runs/good", "runs/sweep/fast", "--format", "json")
    assert json.loads(out)["differences"] == [
        {"class": "numerics", "key": "training.learning_rate", "values": [0.001, 0.003]}
    ]
    assert said(capsys, "compare", "runs/good")[0] == 64
    assert said(capsys, "compare", "runs/good", "runs/nothing")[0] == 64


DAMAGE = {
    "empty": b"",
    "an array": b"[]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "bytes": b"\xff\xfe\x00",
    "attempts of numbers": b'{"experiment": "x", "attempts": [1]}',
    "attempts of tables": b'{"experiment": "x", "attempts": [{}, {"number": "1", "hosts": 3, "git": []}]}',
    "a strange first attempt": b'{"experiment": "x", "attempts": [{"number": "1", "hosts": 3, "git": []}, {}]}',
    "no attempts": b'{"experiment": "x", "attempts": {}, "created": "y"}',
    "a text for a loss": b'{"step": 3, "loss": "x"}\n',
    "nan": b'{"step": 1, "eval_loss": NaN, "loss": Infinity}\n',
    "a boolean for a step": b'{"step": true, "loss": 1}\n',
    "values of another kind": b'{"numerics": [], "resources": {}, "logistics": {}, "ds_config": {}}',
    "a large process id": b"0 99999999999999999999",
    "an exit of no rank": b'{"rank": "x"}',
    "a finish without seconds": b'{"plan_digest": "sha256:' + b"5" * 64 + b'", "seconds": 1, "step": "x"}',
}
FILES = ["run.json", "metrics.jsonl", "finished.json", "bundle/values.json"]
FILES += ["attempts/001/exits/rank-0", "attempts/001/pids/rank-0"]


@pytest.mark.parametrize("file", FILES)
def test_no_damage_is_a_traceback(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CFGC_TRACEBACK", "1")
    path = tmp_path / "run"
    end(make_run(path, steps=10), 75)
    for content in DAMAGE.values():
        (path / file).write_bytes(content)
        assert read_run(path).path == path
        assert run(["runs", str(path)]) == 0
        assert run(["runs", "show", str(path)]) in (0, 1)
        assert run(["runs", "compare", str(path), str(path)]) == 0
        assert run(["plot", str(path)]) in (0, 1)
    shutil.rmtree(path / "attempts")
    (path / file).unlink(missing_ok=True)
    assert run(["runs", str(path)]) == 0
    assert "Traceback" not in capsys.readouterr().err
