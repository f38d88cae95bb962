"""``cfgc overlays``: what can be chosen, and what a spec chooses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cfgc.cli import run

SPEC = """extends = "cfgc:bases/tiny.toml"
[overlays]
zero = "2"
hardware = "cpu"
[experiment]
name = "x"
[[data.sources]]
name = "t"
path = "data"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path, text in {
        "cfgc.toml": "",
        "specs/x.toml": SPEC,
        "specs/zero/2.toml": "#:schema ../spec.schema.json\n#   Ours, with small buckets.\n",
        "specs/zero/mute.toml": "deepspeed.zero.stage = 1\n",
        "specs/team/red.toml": "# The red team.\n",
        "specs/odd/red.toml": "# Turns the terminal\x1b[31m red.\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert run(["overlays", "--format", "json", *words]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("project")
def test_own_overlays_come_first_and_say_what_they_hide(capsys: pytest.CaptureFixture[str]) -> None:
    zero = listing(capsys, "zero")
    assert [option["option"] for option in zero[:3]] == ["2", "mute", "0"]
    assert zero[0] == {
        "group": "zero",
        "option": "2",
        "description": "Ours, with small buckets.",
        "file": "specs/zero/2.toml",
        "over": ["cfgc:zero/2.toml"],
        "chosen": False,
    }
    assert zero[1]["description"] == ""


@pytest.mark.usefixtures("project")
def test_a_star_marks_what_a_spec_and_the_command_line_choose(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [(o["group"], o["option"]) for o in listing(capsys, "specs/x.toml", "zero=3", "team=red") if o["chosen"]]
    assert chosen == [("hardware", "cpu"), ("zero", "3"), ("team", "red")]
    assert run(["overlays", "specs/x.toml", "hardware"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "hardware"
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["cpu"]


@pytest.mark.usefixtures("project")
def test_control_characters_of_a_description_stay_off_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["overlays", "odd"]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_an_unknown_group_and_a_bad_spec_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["overlays", "zerro"]) == 64
    assert "did you mean `zero`" in capsys.readouterr().err
    assert run(["overlays", "specs/x.toml", "zero=9"]) == 1
    assert "CFG114" in capsys.readouterr().err


def test_the_search_path_of_the_project_counts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "cfgc.toml").write_text('search = ["conf"]\n')
    (project / "conf" / "queue").mkdir(parents=True)
    (project / "conf" / "queue" / "night.toml").write_text("# At night.\n")
    groups = {option["group"] for option in listing(capsys)}
    assert groups == {"cluster", "hardware", "zero", "env", "queue"}
