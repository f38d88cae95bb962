"""``cfgc import``: where the spec goes, what is said, and the exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cfgc.cli import run

CONFIG = (
    '{"train_batch_size": 32, "train_micro_batch_size_per_gpu": 4, "bf16": {"enabled": true}, "amp": {"enabled": true}}'
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ds_config.json").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_spec_goes_to_standard_output_and_the_summary_does_not(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", "ds_config.json"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("# Imported from ds_config.json")
    assert "global_batch_size = 32 " in said.out
    assert said.err == "3 converted, 0 kept raw, 1 dropped, 3 doubtful\n"
    assert sorted(path.name for path in here.iterdir()) == ["ds_config.json"]


def test_what_is_imported_builds(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "ds_config.json", "--world-size", "8", "--name", "mine", "-o", "mine.toml"]) == 0
    assert "written to mine.toml" in capsys.readouterr().err
    assert run(["build", "mine.toml"]) == 0
    config = json.loads((here / "out" / "mine" / "ds_config.json").read_text())
    assert (config["train_batch_size"], config["gradient_accumulation_steps"]) == (32, 1)


def test_a_spec_that_is_there_is_replaced_only_by_force(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine.toml").write_text("mine\n")
    assert run(["import", "ds_config.json", "-o", "mine.toml"]) == 64
    assert "--force" in capsys.readouterr().err
    assert (here / "mine.toml").read_text() == "mine\n"
    assert run(["import", "ds_config.json", "-o", "mine.toml", "--force"]) == 0
    assert (here / "mine.toml").read_text().startswith("# Imported")
    assert sorted(path.name for path in here.iterdir()) == ["ds_config.json", "mine.toml"]


def test_a_spec_that_does_not_build_yet_is_written_with_what_is_wrong(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "a.json").write_text('{"train_batch_size": 10, "train_micro_batch_size_per_gpu": 4}')
    assert run(["import", "a.json", "--world-size", "2", "-o", "a.toml"]) == 1
    said = capsys.readouterr().err
    assert "error[CFG4" in said
    assert "the spec does not build yet" in said
    assert (here / "a.toml").is_file()
    assert run(["check", "a.toml"]) == 1


def test_a_file_that_cannot_be_imported_is_named_as_it_was_typed(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "configs").mkdir()
    (here / "configs" / "x.yaml").write_text("trainer:\n\tdevices: 8\n")
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert run(["import", "../configs/x.yaml"]) == 1
    said = capsys.readouterr()
    assert "--> ../configs/x.yaml:2:1" in said.err
    assert said.out == ""


def test_machines_can_read_what_is_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "x.json").write_text("{")
    assert run(["import", "x.json", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)


def test_layers_are_merged_in_order(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, size in (("base", 4), ("first", 8), ("second", 16)):
        (here / f"{name}.yaml").write_text(f"training: {{batch_size: {size}}}\nmodel: {{hidden_size: 64}}\n")
    assert run(["import", "base.yaml", "--with", "first.yaml", "--with", "second.yaml"]) == 0
    assert "micro_batch_size = 16 " in capsys.readouterr().out


def test_groups_can_lie_elsewhere(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "runs").mkdir()
    (here / "model").mkdir()
    (here / "runs" / "mine.yaml").write_text("defaults: [/model: gpt, _self_]\ntrainer: {devices: 2}\n")
    (here / "model" / "gpt.yaml").write_text("hidden_size: 96\nnum_attention_heads: 2\n")
    assert run(["import", "runs/mine.yaml"]) == 1
    assert "CFG144" in capsys.readouterr().err
    assert run(["import", "runs/mine.yaml", "--tree", "."]) == 0
    assert "hidden_size = 96 " in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["ds_config.json", "--deepspeed", "9.9.9"],
        ["ds_config.json", "--world-size", "0"],
        ["ds_config.json", "--kind", "jax"],
        ["ds_config.json", "--name", "a/b"],
        [],
    ],
)
def test_a_wrong_command_is_a_matter_of_usage(words: list[str], here: Path) -> None:
    assert run(["import", *words]) == 64


def test_without_pyyaml_json_is_imported_and_yaml_says_what_to_install(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert run(["import", "ds_config.json"]) == 0
    (here / "x.yaml").write_text("trainer: {devices: 8}\n")
    assert run(["import", "x.yaml"]) == 64
    assert "pip install 'cfgc[import]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("zero_optimization", {"stage": 2, "zenflow": {"topk_ratio": 0.1, "update_interval": 4}}),
        ("data_efficiency", {"enabled": True, "data_routing": {"enabled": "yes, please"}}),
        ("flops_profiler", {"enabled": "perhaps"}),
    ],
)
def test_raw_keys_that_the_compiler_refuses_are_dropped_with_its_reason(
    key: str, section: dict[str, object], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"train_batch_size": 8, "optimizer": {"type": "AdamW", "params": {"lr": 1e-4}}, key: section}
    (here / "x.json").write_text(json.dumps(config))
    assert run(["import", "x.json", "-o", "x.toml"]) == 0
    dropped = (here / "x.toml").read_text().partition("# Dropped:")[2]
    assert "check: " in dropped
    assert "(CFG5" in dropped
    assert run(["check", "x.toml"]) == 0
