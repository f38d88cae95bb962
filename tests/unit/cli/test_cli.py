"""The command line in a real process: what is printed where, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

SPEC = """
extends = "bases/tiny.toml"

[overlays]
hardware = "cpu"
zero = "2"

[experiment]
name = "mine"

[launch]
gpus_per_node = 2

[training]
max_steps = 10
global_batch_size = 16
micro_batch_size = 4
learning_rate = 2e-3

[[data.sources]]
name = "texts"
path = "texts"
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "spec.toml").write_text(SPEC)
    return tmp_path


def cfgc(work: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    program = "from cfgc.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100", **env},
    )


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    path = os.pathsep.join(str(repository / name) for name in ("compiler", "runtime"))
    monkeypatch.setenv("PYTHONPATH", path)


def test_help_names_every_command_and_ends_well(work: Path) -> None:
    result = cfgc(work, "--help")
    assert result.returncode == 0
    for command in ("build", "check", "show", "explain", "completion"):
        assert command in result.stdout


def test_it_runs_as_a_module_too(work: Path) -> None:
    ran = [
        subprocess.run([sys.executable, "-m", "cfgc", *words], cwd=work, capture_output=True, text=True, check=False)
        for words in (("--version",), ("biuld",))
    ]
    assert [one.returncode for one in ran] == [0, 64]
    assert ran[0].stdout == cfgc(work, "--version").stdout


def test_build_writes_once_and_then_leaves_equal_bytes_alone(work: Path) -> None:
    first = cfgc(work, "build", "spec.toml")
    assert first.returncode == 0, first.stderr
    times = {path: path.stat().st_mtime_ns for path in (work / "out" / "mine").rglob("*")}
    second = cfgc(work, "build", "spec.toml")
    assert second.returncode == 0
    assert "unchanged" in second.stderr
    assert {path: path.stat().st_mtime_ns for path in (work / "out" / "mine").rglob("*")} == times


def test_check_writes_nothing(work: Path) -> None:
    assert cfgc(work, "check", "spec.toml").returncode == 0
    assert sorted(path.name for path in work.iterdir()) == ["spec.toml"]


def test_a_rejected_spec_leaves_the_old_bundle(work: Path) -> None:
    cfgc(work, "build", "spec.toml")
    before = (work / "out/mine/manifest.json").read_bytes()
    result = cfgc(work, "build", "spec.toml", "training.global_batch_size=17")
    assert result.returncode == 1
    assert "nothing written" in result.stderr
    assert "command line:1:" in result.stderr
    assert (work / "out/mine/manifest.json").read_bytes() == before


def test_five_mistakes_get_five_diagnostics_at_once(work: Path) -> None:
    (work / "spec.toml").write_text(
        SPEC.replace("learning_rate", "lerning_rate")
        .replace('zero = "2"', 'zero = "2"\n')
        .replace("max_steps = 10", 'max_steps = "10"')
        .replace("gpus_per_node = 2", "gpus_per_node = 0")
        .replace('name = "mine"', 'name = "mine/../yours"')
        + '\n[tracking]\nlog_level = "loud"\n'
    )
    result = cfgc(work, "check", "spec.toml", "--format", "json")
    found = json.loads(result.stdout)
    assert result.returncode == 1
    assert len(found) == 5
    assert all(item["primary"] and item["primary"]["file"] == "spec.toml" for item in found)
    assert all(item["helps"] for item in found)


def test_explain_shows_the_whole_chain_with_places(work: Path) -> None:
    result = cfgc(work, "explain", "spec.toml", "training.learning_rate", "training.learning_rate=1e-4")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("training.learning_rate = 0.0001")
    assert lines[2] == "  numerics: Every rate is a multiple of it."
    chain = [line.split() for line in lines if line.startswith("  0.")]
    assert [row[0] for row in chain[:2]] == ["0.0001", "0.002"]
    assert chain[1][-1] == "spec.toml:18:1"
    assert chain[-1][-1] == "schema"


def test_explain_says_how_a_value_was_derived(work: Path) -> None:
    result = cfgc(work, "explain", "spec.toml", "training.gradient_accumulation_steps")
    assert "training.gradient_accumulation_steps = 2" in result.stdout
    assert "derived: 16 / (4 × 2)" in result.stdout


def test_explain_offers_the_nearest_key(work: Path) -> None:
    for wrong in ("training.lr", "training.lerning_rate"):
        result = cfgc(work, "explain", "spec.toml", wrong)
        assert result.returncode == 64
        assert result.stderr.splitlines()[1].startswith("  did you mean `training.learning_rate`?")


def test_explain_leads_into_arrays_overlays_and_sections(work: Path) -> None:
    inside = cfgc(work, "explain", "spec.toml", "data.sources[0].path").stdout.splitlines()
    assert inside[0] == 'data.sources.0.path = "texts"'
    assert inside[1] == "  numerics: Other files may hold other text."
    assert inside[3].endswith("spec.toml:22:8")
    assert '  zero      "2"' in cfgc(work, "explain", "spec.toml", "overlays").stdout
    section = cfgc(work, "explain", "spec.toml", "training").stdout
    assert "gradient_accumulation_steps" in section
    assert "derived: 16 / (4 × 2)" in section


def test_places_can_be_opened_from_the_current_directory(work: Path) -> None:
    (work / "deep" / "er").mkdir(parents=True)
    result = cfgc(work / "deep" / "er", "check", "../../spec.toml", "training.micro_batch_size=7", "~env.required")
    assert "../../spec.toml:" in result.stderr
    assert (
        "../../spec.toml:18:1"
        in cfgc(work / "deep" / "er", "explain", "../../spec.toml", "training.learning_rate").stdout
    )


def test_output_that_cannot_be_written_is_no_defect(work: Path) -> None:
    def bash(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=False)

    command = f"{sys.executable} -c 'from cfgc.cli import main; main()' show spec.toml"
    full = bash(f"{command} >/dev/full")
    assert (full.returncode, full.stderr) == (74, "error: No space left on device, and the output was not written\n")
    assert bash(f"{command} >&-").returncode == 0
    lost = bash(f"mkdir gone; cd gone; rmdir ../gone; {command}")
    assert (lost.returncode, "Traceback" in lost.stderr) == (74, False)


def test_explain_a_code(work: Path) -> None:
    assert cfgc(work, "explain", "cfg401").stdout.startswith("# CFG401: ")
    unknown = cfgc(work, "explain", "CFG499")
    assert unknown.returncode == 64
    assert "CFG401  the batch sizes" in unknown.stderr
    assert cfgc(work, "explain", "CFG000").returncode == 64
    assert "CFG401  the batch sizes" in cfgc(work, "explain", "CFG4").stdout


def test_every_form_of_show_holds_the_same_values(work: Path) -> None:
    forms = {
        name: cfgc(work, "show", "spec.toml", "--format", name).stdout for name in ("toml", "json", "yaml", "python")
    }
    tree = tomllib.loads(forms["toml"])
    assert tree["training"]["learning_rate"] == 2e-3
    assert json.loads(forms["json"]) == tree
    assert yaml.safe_load(forms["yaml"]) == tree
    module: dict[str, object] = {"__name__": "config"}
    exec(compile(forms["python"], "config.py", "exec"), module)
    assert module["SCHEDULE"].learning_rate == 2e-3  # type: ignore[attr-defined]


def test_show_says_why_a_task_has_no_form_for_deepspeed(work: Path) -> None:
    (work / "task.toml").write_text('[experiment]\nname = "t"\n\n[task]\nkind = "script"\ninline = "true"\n')
    result = cfgc(work, "show", "task.toml", "--format", "deepspeed")
    assert result.returncode == 64
    assert "this is a task" in result.stderr
    assert cfgc(work, "show", "task.toml", "--format", "json").returncode == 0


def test_show_can_be_built_again(work: Path) -> None:
    (work / "again.toml").write_text(cfgc(work, "show", "spec.toml").stdout)
    cfgc(work, "build", "spec.toml", "-o", "a")
    result = cfgc(work, "build", "again.toml", "-o", "b")
    assert result.returncode == 0, result.stderr
    digests = [json.loads((work / name / "manifest.json").read_text())["plan_digest"] for name in ("a", "b")]
    assert digests[0] == digests[1]


def test_usage_errors_end_with_64(work: Path) -> None:
    assert cfgc(work, "biuld").returncode == 64
    assert cfgc(work, "build").returncode == 64
    assert cfgc(work, "explain", "spec.toml").returncode == 64


def test_a_missing_spec_is_a_diagnostic(work: Path) -> None:
    result = cfgc(work, "build", "spce.toml")
    assert result.returncode == 1
    assert "spec.toml" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_closed_pipe_is_no_error(work: Path) -> None:
    command = (
        f"{sys.executable} -c 'from cfgc.cli import main; main()' show spec.toml | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    result = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] in {"0", "141"}
    assert "Traceback" not in result.stderr


def test_colour_only_where_it_is_wanted(work: Path) -> None:
    assert "\x1b[" not in cfgc(work, "check", "missing.toml").stderr
    assert "\x1b[" in cfgc(work, "check", "missing.toml", FORCE_COLOR="1").stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_cfgc(work: Path, shell: str) -> None:
    assert "_CFGC_COMPLETE" in cfgc(work, "completion", shell).stdout


def complete(work: Path, *words: str) -> list[str]:
    """What bash offers for the last of ``words``, split as bash splits them."""
    command = work / "bin" / "cfgc"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from cfgc.cli import main; main()" "$@"\n')
    command.chmod(0o755)
    script = (
        'eval "$(cfgc completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { echo "$@"; }; '
        '_cfgc_completion cfgc; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    env = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script, "bash", "cfgc", *words], cwd=work, capture_output=True, text=True, check=True, env=env
    )
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("explain", "spec.toml", "training.lea"), ["training.learning_rate"]),
        (("build", "spec.toml", "training.lea"), ["training.learning_rate="]),
        (("build", "spec.toml", "~training.lea"), ["~training.learning_rate"]),
        (("build", "spec.toml", "zer"), ["zero="]),
        (("build", "spec.toml", "zero", "="), ["0", "1", "2", "2-offload", "3", "3-offload"]),
        (("build", "spec.toml", "zero", "=", "3"), ["3", "3-offload"]),
        (("build", "spec.toml", "training.precision", "=", "b"), ["bf16"]),
        (("build", "cfgc", ":", "examples/quick"), ["examples/quickstart.toml"]),
        (("explain", "CFG40"), ["CFG401", "CFG402", "CFG403", "CFG404", "CFG405", "CFG406", "CFG407"]),
        (("build", "sp"), ["-o default"]),
    ],
)
def test_bash_completes(work: Path, words: tuple[str, ...], offered: list[str]) -> None:
    assert complete(work, *words) == offered


def test_bytes_that_are_no_characters_are_a_diagnostic(work: Path) -> None:
    command = f"{sys.executable} -c 'from cfgc.cli import main; main()' check spec.toml experiment.description=$'\\xff'"
    result = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "error[CFG120]" in result.stderr
