"""``cfgc init``: a project that builds, and nothing of the user's touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from cfgc.cli import run
from cfgc.cli.starting import TEMPLATES, name_of


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_init_makes_builds(template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "demo", "--template", template]) == 0
    monkeypatch.chdir(tmp_path / "demo")
    assert run(["build", "specs/demo.toml", "--deny", "warnings"]) == 0
    assert (tmp_path / "demo" / "out" / "demo" / "launch.sh").is_file()
    assert run(["check", "specs/demo.toml", "cluster=site"]) == 0
    assert not [path for path in Path().rglob("*") if path.is_file() and b"@NAME@" in path.read_bytes()]


def test_the_default_spec_trains_on_cpus(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path / "demo")]) == 0
    spec = tomllib.loads((tmp_path / "demo" / "specs" / "demo.toml").read_text())
    assert spec["overlays"]["hardware"] == "cpu"
    assert spec["data"]["sources"][0]["path"] == {"stdlib": True, "path": "."}


def test_editors_find_the_schema_that_every_spec_names(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path / "demo")]) == 0
    validator = Draft7Validator(json.loads((tmp_path / "demo" / "cfgc.schema.json").read_text()))
    specs = list((tmp_path / "demo" / "specs").rglob("*.toml"))
    assert len(specs) == 2
    for spec in specs:
        named = spec.read_text().split("\n", 1)[0].removeprefix("#:schema ")
        assert (spec.parent / named).resolve() == tmp_path / "demo" / "cfgc.schema.json"
        assert list(validator.iter_errors(tomllib.loads(spec.read_text()))) == []


def test_files_that_are_there_stay_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("mine\n")
    assert run(["init", str(tmp_path), "--name", "first"]) == 0
    assert "left as they were: README.md" in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text() == "mine\n"
    (tmp_path / "specs" / "first.toml").write_text("mine\n")
    assert run(["init", str(tmp_path), "--name", "second"]) == 64
    assert "is there already" in capsys.readouterr().err
    assert not (tmp_path / "specs" / "second.toml").exists()


def test_a_name_that_no_experiment_can_have_is_refused_or_put_right(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path / "a"), "--name", "../b"]) == 64
    assert not (tmp_path / "a").exists()
    assert [name_of(Path(name)) for name in ("/x/My run!", "/x/.hidden", "/")] == ["My-run", "hidden", "run"]
    assert name_of(Path("/x") / ("long." * 30)) == ("long." * 30)[:64]


def test_the_next_command_can_be_pasted_whatever_the_directory_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--", "-my $run"]) == 0
    assert capsys.readouterr().err.endswith("next: cd -- '-my $run' && cfgc build specs/my-run.toml\n")


def test_a_file_is_no_place_for_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cfgc.toml").write_text("")
    assert run(["init", str(tmp_path / "cfgc.toml")]) == 64
    assert "cfgc.toml is a file; name a directory" in capsys.readouterr().err


def test_a_project_inside_another_is_made_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path)]) == 0
    assert run(["init", str(tmp_path / "specs")]) == 64
    assert f"{tmp_path} is a project already; to make another one inside it, add --nested" in capsys.readouterr().err
    assert not (tmp_path / "specs" / "cfgc.toml").exists()
    assert run(["init", str(tmp_path / "specs"), "--nested"]) == 0


def test_a_file_in_the_way_is_said(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "specs").write_text("a file\n")
    command = [sys.executable, "-c", "from cfgc.cli import main; main()", "init", str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(repository / "compiler")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 74
    assert "specs" in done.stderr
    assert not (tmp_path / "cfgc.toml").exists()


def test_a_release_outside_of_its_table_is_moved_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--name", "run"]) == 0
    (tmp_path / "cfgc.toml").write_text('deepspeed = "0.18.9"\n')
    assert run(["check", "specs/run.toml", "--fix"]) == 0
    assert tomllib.loads((tmp_path / "cfgc.toml").read_text()) == {"target": {"deepspeed": "0.18.9"}}
