"""``cfgc lint-sbatch`` at the command line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE, run
from cfgc.cli.commands import cfgc

GOOD = "#!/bin/bash\n#SBATCH --nodes=1\nsrun python train.py\n"
WARNED = "#!/bin/bash\n#SBATCH --nodes=1\n#SBATCH --requeue\nsrun python train.py\n"
BAD = "#!/bin/bash\n#SBATCH --nodes=$N\nsrun python train.py\n"


@pytest.fixture(autouse=True)
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("good.sh", GOOD), ("warned.sh", WARNED), ("bad.sh", BAD)):
        Path(name).write_text(text)


def test_a_good_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint-sbatch", "good.sh"]) == EXIT_OK
    assert capsys.readouterr().err == "1 of 1 script holds\n"


def test_several_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint-sbatch", "good.sh", "warned.sh", "bad.sh"]) == EXIT_REJECTED
    said = capsys.readouterr().err
    assert "error[CFG670]" in said
    assert "--> bad.sh:2:1" in said
    assert said.endswith("1 error, 1 warning; 2 of 3 scripts hold\n")


def test_warnings_reject_only_when_they_are_denied() -> None:
    assert run(["lint-sbatch", "warned.sh"]) == EXIT_OK
    assert run(["lint-sbatch", "--deny", "warnings", "warned.sh"]) == EXIT_REJECTED


def test_json_and_github(capsys: pytest.CaptureFixture[str]) -> None:
    run(["lint-sbatch", "--format", "json", "bad.sh", "warned.sh"])
    assert [one["code"] for one in json.loads(capsys.readouterr().out)] == ["CFG670", "CFG687"]
    run(["lint-sbatch", "--format", "github", "bad.sh"])
    assert capsys.readouterr().out.startswith("::error file=bad.sh,line=2,col=1,title=CFG670::")


def test_text_is_on_standard_error_and_what_machines_read_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["lint-sbatch", "bad.sh"])
    assert capsys.readouterr().out == ""
    for form in ("json", "github"):
        run(["lint-sbatch", "--format", form, "bad.sh"])
        output = capsys.readouterr()
        assert "CFG670" in output.out
        assert output.err == "1 error; 0 of 1 script holds\n"


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert run(["lint-sbatch", "-"]) == EXIT_REJECTED
    assert "--> standard input:2:1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing.sh", ".", "nul\0.sh"])
def test_what_cannot_be_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint-sbatch", "good.sh", name]) == EXIT_REJECTED
    assert "error[CFG699]" in capsys.readouterr().err


def test_a_shell_completes_files() -> None:
    (proposed,) = ShellComplete(cfgc, {}, "cfgc", "_CFGC_COMPLETE").get_completions(["lint-sbatch"], "go")
    assert proposed.type == "file"


def test_a_secret_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "3f8a1c5e7b9d2046a8c0e1f3"
    Path("secret.sh").write_text(f"#!/bin/bash\n#SBATCH --nodes=1\nexport HF_TOKEN={secret}\nsrun python train.py\n")
    for form in ("text", "json", "github"):
        assert run(["lint-sbatch", "--format", form, "secret.sh"]) == EXIT_REJECTED
        output = capsys.readouterr()
        assert "CFG692" in output.out + output.err
        assert secret not in output.out + output.err


def test_without_the_parser_it_says_how_to_get_it(repository: Path) -> None:
    code = (
        "import sys; sys.modules['tree_sitter'] = sys.modules['tree_sitter_bash'] = None\n"
        "from cfgc.cli import run; sys.exit(run(['lint-sbatch', 'good.sh']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(repository / "compiler")},
    )
    assert done.returncode == EXIT_USAGE
    assert "pip install 'cfgc[lint]'" in done.stderr
    assert "Traceback" not in done.stderr
