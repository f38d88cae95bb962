"""``cfgc check`` of ds_configs: which files are taken, options, outcomes and exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE, run

GOOD = '{"train_batch_size": 8, "gradient_clipping": 1.0}'
BAD = '{"train_batch_size": 8, "gradient_clipping": 1.0, "bp16": {}}'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "good.json").write_text(GOOD)
    (tmp_path / "bad.json").write_text(BAD)
    return tmp_path


def test_a_good_file_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "good.json"]) == EXIT_OK
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("1 of 1 file holds for DeepSpeed ")


def test_many_files_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "good.json", "bad.json", "--deepspeed", "0.16.9"]) == EXIT_REJECTED
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("1 error; ")
    assert told.endswith("; 1 of 2 files hold for DeepSpeed 0.16.9")


def test_specs_and_ds_configs_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "cfgc:examples/quickstart.toml", "good.json"]) == EXIT_OK
    assert "1 of 1 spec holds; 1 of 1 file holds for DeepSpeed" in capsys.readouterr().err


def test_standard_input_is_a_ds_config(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert run(["check", "-"]) == EXIT_REJECTED
    assert "standard input:1:51" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ds.hjson", "DS.JSON", "stage2.conf", "no_suffix"])
def test_a_ds_config_is_known_by_name_or_by_its_brace(here: Path, name: str) -> None:
    (here / name).write_text(f"\n{GOOD}")
    assert run(["check", name]) == EXIT_OK


def test_auto_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "auto.json").write_text('{"train_micro_batch_size_per_gpu": "auto", "gradient_clipping": "auto"}')
    assert run(["check", "auto.json", "--deny", "warnings"]) == EXIT_OK
    assert "(1 with `auto`, for accelerate or transformers to fill in)" in capsys.readouterr().err


def test_warnings_can_be_denied(here: Path) -> None:
    (here / "drift.json").write_text('{"train_batch_size": 8}')
    assert run(["check", "drift.json"]) == EXIT_OK
    assert run(["check", "drift.json", "--deny", "warnings"]) == EXIT_REJECTED


def test_the_world_size_is_used(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {"train_batch_size": 8, "train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": 1}
    (here / "sizes.json").write_text(json.dumps({**sizes, "gradient_clipping": 1.0}))
    assert run(["check", "sizes.json", "--world-size", "4"]) == EXIT_OK
    assert run(["check", "sizes.json", "--world-size", "8"]) == EXIT_REJECTED
    assert "CFG401" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["good.json", "--deepspeed", "0.16.99"], "nearest known: 0.16.9 and 0.17.0"),
        (["good.json", "--deepspeed", "newest"], "is no release"),
        (["good.json", "--world-size", "0"], "--world-size"),
        (["cfgc:examples/quickstart.toml", "--deepspeed", "0.16.9"], "target.deepspeed"),
        (["cfgc:examples/quickstart.toml", "--world-size", "4"], "launch.nodes"),
    ],
)
def test_options_that_cannot_be_are_usage_errors(
    arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", *arguments]) == EXIT_USAGE
    assert what in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing.json", "folder.json"])
def test_a_file_that_cannot_be_read_is_a_finding(here: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "folder.json").mkdir()
    assert run(["check", "good.json", name]) == EXIT_REJECTED
    assert f"error[CFG540]: cannot read `{name}`" in capsys.readouterr().err


def test_the_machine_formats_go_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "bad.json", "--format", "json"]) == EXIT_REJECTED
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["code"], finding["primary"]["file"], finding["primary"]["column"]) == ("CFG547", "bad.json", 51)
    assert run(["check", "bad.json", "--format", "github"]) == EXIT_REJECTED
    assert capsys.readouterr().out.startswith("::error file=bad.json,line=1,col=51,title=CFG547::")
