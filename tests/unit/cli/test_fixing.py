"""``cfgc check --fix`` and ``--diff``: what is changed, what is left alone, and the exit codes."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE, run
from cfgc.resources import shipped_dir

BASE = """\
extends = "cfgc:bases/small.toml"

[training]
max_stesp = 100 # short
"""

SPEC = """\
# A spec with mistakes.
extends = "common.toml"

[overlays]
hardwaer = "a100-80gb"

[experiment]
name = "a"

[training]
batch_size = 8 # per rank
learning_rate = "3e-4"
precision = "bf61"

[[data.sources]]
name = "text"
path = "data"

[launch]
time_limit = "2 hours"
"""

FIXED = (
    SPEC.replace("hardwaer", "hardware")
    .replace("batch_size", "micro_batch_size")
    .replace('"3e-4"', "0.0003")
    .replace("bf61", "bf16")
    .replace("2 hours", "2h")
)

CONFIG = """\
{
  "train_micro_batch_size_per_gpu": 1,
  "zero_optimisation": {"stage": 2}, // partitioned
  "gradient_clipping": "1.0"
}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cfgc.toml").touch()
    (tmp_path / "common.toml").write_text(BASE)
    (tmp_path / "a.toml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_certain_mistakes_are_put_right_in_the_spec_and_its_base(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "a.toml", "--fix"]) == EXIT_OK
    assert (project / "a.toml").read_text() == FIXED
    assert (project / "common.toml").read_text() == BASE.replace("stesp", "steps")
    said = capsys.readouterr().err
    assert "a.toml:11: CFG303 batch_size = 8 # per rank → micro_batch_size = 8 # per rank\n" in said
    assert "common.toml:4: CFG301 max_stesp = 100 # short → max_steps = 100 # short\n" in said
    assert "changed 6 places in 2 files\n" in said
    assert run(["check", "a.toml", "--fix"]) == EXIT_OK
    assert "changed" not in capsys.readouterr().err


def test_the_diff_is_shown_and_nothing_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "a.toml", "--diff"]) == EXIT_REJECTED
    shown = capsys.readouterr().out
    assert shown.startswith("--- a.toml\n+++ a.toml\n@@ ")
    assert '-hardwaer = "a100-80gb"\n+hardware = "a100-80gb"\n' in shown
    assert "-max_stesp = 100 # short\n+max_steps = 100 # short\n" in shown
    assert (project / "a.toml").read_text() == SPEC
    (project / "a.toml").write_text(FIXED)
    (project / "common.toml").write_text(BASE.replace("stesp", "steps"))
    assert run(["check", "a.toml", "--diff"]) == EXIT_OK
    assert capsys.readouterr().out == ""


def test_what_is_not_certain_is_left_and_decides_the_exit_code(project: Path) -> None:
    (project / "a.toml").write_text(SPEC.replace("bf61", "int4"))
    assert run(["check", "a.toml", "--fix"]) == EXIT_REJECTED
    assert '"int4"' in (project / "a.toml").read_text()
    assert '"a100-80gb"' in (project / "a.toml").read_text()
    assert run(["check", "a.toml", "--fix", "--unsafe-fixes"]) == EXIT_OK
    assert 'precision = "bf16"' in (project / "a.toml").read_text()


def test_unsafe_alone_is_a_misuse(project: Path) -> None:
    assert run(["check", "a.toml", "--unsafe-fixes"]) == EXIT_USAGE
    assert (project / "a.toml").read_text() == SPEC


def test_a_base_that_two_specs_share_is_changed_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "b.toml").write_text(SPEC.replace('"a"', '"b"'))
    assert run(["check", "a.toml", "b.toml", "--diff"]) == EXIT_REJECTED
    assert capsys.readouterr().out.count("+max_steps") == 1
    assert run(["check", "a.toml", "b.toml", "--fix"]) == EXIT_OK
    assert "changed 11 places in 3 files" in capsys.readouterr().err


def test_what_a_shipped_spec_says_is_overruled_in_the_spec_itself(project: Path) -> None:
    before = {path: path.read_bytes() for path in shipped_dir("specs").rglob("*.toml")}
    (project / "c.toml").write_text(
        FIXED.replace("common.toml", "cfgc:bases/small.toml") + "\n[data]\nsequence_length = 3000\n"
    )
    assert run(["check", "c.toml"]) == EXIT_REJECTED
    assert run(["check", "c.toml", "--fix", "--unsafe-fixes"]) == EXIT_OK
    assert {path: path.read_bytes() for path in shipped_dir("specs").rglob("*.toml")} == before


def test_a_file_outside_of_the_project_is_not_changed(project: Path) -> None:
    inner = project / "inner"
    inner.mkdir()
    (inner / "cfgc.toml").touch()
    (inner / "d.toml").write_text(FIXED.replace("common.toml", "../common.toml"))
    assert run(["check", "inner/d.toml", "--fix"]) == EXIT_REJECTED
    assert (project / "common.toml").read_text() == BASE


def test_mode_links_and_newlines_stay(project: Path) -> None:
    (project / "a.toml").write_bytes(SPEC.replace("\n", "\r\n").encode())
    (project / "a.toml").chmod(0o640)
    (project / "link.toml").symlink_to("a.toml")
    assert run(["check", "link.toml", "--fix"]) == EXIT_OK
    assert (project / "link.toml").is_symlink()
    assert stat.S_IMODE((project / "a.toml").stat().st_mode) == 0o640
    assert (project / "a.toml").read_bytes() == FIXED.replace("\n", "\r\n").encode()
    assert sorted(path.name for path in project.iterdir()) == ["a.toml", "cfgc.toml", "common.toml", "link.toml"]


def test_a_ds_config_is_fixed_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "ds_config.json"
    path.write_text(CONFIG)
    fixed = CONFIG.replace("isation", "ization").replace('"1.0"', "1.0")
    assert run(["check", "ds_config.json", "--diff"]) == EXIT_REJECTED
    assert '+  "gradient_clipping": 1.0\n' in capsys.readouterr().out
    assert run(["check", "ds_config.json", "--fix"]) == EXIT_OK
    assert path.read_text() == fixed
    assert run(["check", "-", "--fix"]) == EXIT_USAGE


def test_the_machine_format_has_the_edits(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "a.toml", "--format", "json"]) == EXIT_REJECTED
    captured = capsys.readouterr()
    found = {finding["message"]: finding["fixes"] for finding in json.loads(captured.out)}
    assert found["`training.batch_size` is called `training.micro_batch_size` here"] == [
        {
            "certain": True,
            "edits": [
                {
                    "action": "move",
                    "file": "a.toml",
                    "path": ["training", "batch_size"],
                    "to": ["training", "micro_batch_size"],
                }
            ],
        }
    ]
    assert "to put right with --fix" in captured.err


def test_no_secret_is_shown_by_a_change(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "hf_" + "a" * 30
    (project / "a.toml").write_text(FIXED + f'\n[env.variables]\nHF_TOKEN = "{secret}"\n')
    run(["check", "a.toml", "--format", "json"])
    run(["check", "a.toml", "--diff", "--unsafe-fixes"])
    assert run(["check", "a.toml", "--fix", "--unsafe-fixes"]) == EXIT_OK
    captured = capsys.readouterr()
    assert secret not in captured.out + captured.err
    assert 'required = ["HF_TOKEN"]' in (project / "a.toml").read_text()
