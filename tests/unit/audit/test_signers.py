"""A file of signers that does not allow a key: cfgc and the bundle's own runtime say why, with the same exit code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cfgc.audit.signing import sign
from cfgc.cli import run
from tests.unit.audit.test_tampering import STAGES, new_key
from tests.unit.audit.test_verify import build
from tests.unit.stages.test_pipelines import TASK


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle and, beside it, the public key of its signature."""
    folder = tmp_path_factory.mktemp("signed")
    sign(build(folder / "bundle"), new_key(folder / "key"))
    return folder


def both(
    signed: Path, signers: Path, capfd: pytest.CaptureFixture[str], path: str | None = None
) -> tuple[int, int, list[str]]:
    """The codes of ``cfgc verify`` and of the runtime, and what each said."""
    bundle = signed / "bundle"
    code = run(["verify", str(bundle), "--signers", str(signers)])
    command = [sys.executable, "-I", str(bundle / "runtime"), "verify", "--signers", str(signers)]
    env = {"PATH": path} if path is not None else None
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    return code, done.returncode, [capfd.readouterr().err, done.stderr]


@pytest.mark.parametrize(
    ("text", "why", "advice"),
    [
        ("ann valid-before=\"20200101\" {key}", "has it, and its valid-before, 2020-01-01T00:00:00, is past", "line"),
        ("ann valid-after=\"20990101\" {key}", "has it, and its valid-after, 2099-01-01T00:00:00, is to come", "line"),
        ('ann namespaces="git" {key}', "its namespaces do not allow the namespace \"cfgc-bundle\"", "line"),
        ("", "no line of {file} is a key", "--identity NAME"),
        ("# nobody yet\n# {key}", "no line of {file} is a key", "--identity NAME"),
        ("\0\1 %PDF garbage\n", "no line of {file} is a key", "--identity NAME"),
        ("ann valid-until=\"20200101\" {key}", "line 1: bad options: unknown key option", "sign it again"),
    ],
)  # fmt: skip
def test_why_a_key_is_not_allowed_is_said(
    signed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, why: str, advice: str
) -> None:
    signers = tmp_path / "signers"
    signers.write_text(text.format(key=(signed / "key.pub").read_text()))
    code, own, said = both(signed, signers, capfd)
    assert (code, own) == (65, 65)
    assert all(why.format(file=signers) in one for one in said), said
    assert advice in said[0]
    assert ("sign it again" in said[0]) == (advice == "sign it again")


def test_another_line_may_allow_what_one_does_not(
    signed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    key = (signed / "key.pub").read_text()
    (tmp_path / "signers").write_text(f'ann valid-before="20200101" {key}ann {key}')
    assert both(signed, tmp_path / "signers", capfd)[:2] == (0, 0)


def test_where_there_is_no_ssh_keygen_both_end_with_the_same_code(
    signed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "signers").write_text(f"ann {(signed / 'key.pub').read_text()}")
    monkeypatch.setenv("PATH", str(tmp_path))
    code, own, said = both(signed, tmp_path / "signers", capfd, str(tmp_path))
    assert (code, own) == (65, 65)
    assert all("there is no ssh-keygen here" in one for one in said)


@pytest.mark.parametrize("spoil", [lambda path: None, Path.mkdir])
def test_a_file_of_signers_that_is_none_is_a_usage_error_for_both(
    signed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], spoil: Callable[[Path], None]
) -> None:
    spoil(tmp_path / "signers")
    assert both(signed, tmp_path / "signers", capfd)[:2] == (64, 64)
    assert shutil.which("ssh-keygen")


def test_a_stage_without_a_signature_names_its_pipeline(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build(Path("out"), TASK + STAGES)
    key = new_key(tmp_path / "key")
    (tmp_path / "signers").write_text(f"ann {key.with_suffix('.pub').read_text()}")
    words = ["verify", "out/stages/one", "--signers", "signers"]
    assert run(words) == 65
    assert "sign the pipeline: `cfgc sign out --key FILE`" in capfd.readouterr().err
    sign(Path("out"), key)
    assert run(words) == 65
    said = capfd.readouterr().err
    assert "error[CFG736]" in said
    assert "verify the pipeline: `cfgc verify out --signers FILE`" in said
    assert run(["verify", "out", "--signers", "signers"]) == 0
    own = [sys.executable, "-I", "out/stages/one/runtime", *words[:1], *words[2:]]
    done = subprocess.run(own, capture_output=True, text=True, check=False)
    assert (done.returncode, f"verify {tmp_path / 'out'}" in done.stderr) == (65, True), done.stderr
