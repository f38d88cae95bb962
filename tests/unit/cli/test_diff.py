"""``cfgc diff``: sides that are directories, specs with overrides, and either in a revision of git."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cfgc.cli import EXIT_DIFFERS, EXIT_OK, EXIT_REJECTED, EXIT_USAGE, run
from cfgc_runtime.errors import BAD_BUNDLE

BASE = 'extends = "cfgc:examples/quickstart.toml"\n[training]\nlearning_rate = 1e-3\n'
SPEC = 'extends = "bases/own.toml"\n[overlays]\nsize = "wide"\n[experiment]\nname = "a"\n'
ME = {name: "x@y" for role in ("AUTHOR", "COMMITTER") for name in (f"GIT_{role}_NAME", f"GIT_{role}_EMAIL")}


def git(*words: str) -> None:
    subprocess.run(["git", *words], check=True, capture_output=True, env={**os.environ, **ME})


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project inside a repository; its base and its bundle changed since the first commit, called ``first``."""
    top = tmp_path_factory.mktemp("top")
    files = {
        "cfgc.toml": "",
        "specs/bases/own.toml": BASE,
        "specs/size/wide.toml": "[model]\nhidden_size = 256\n",
        "specs/a.toml": SPEC,
    }
    here = Path.cwd()
    os.chdir(top)
    try:
        git("init", "-q", "-b", "main")
        for name, text in files.items():
            path = top / "training" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        Path("training/specs/link.toml").symlink_to("a.toml")
        Path("training/specs/out_of.toml").symlink_to("../../../elsewhere.toml")
        assert run(["build", "training/specs/a.toml"]) == EXIT_OK
        git("add", ".")
        git("commit", "-qm", "one: all")
        git("tag", "first")
        Path("training/specs/bases/own.toml").write_text(BASE.replace("1e-3", "2e-3"))
        assert run(["build", "training/specs/a.toml"]) == EXIT_OK
        git("commit", "-qam", "two: faster")
    finally:
        os.chdir(here)
    return top


@pytest.fixture
def project(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "training")


def diff(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["diff", *words])
    return (code, *capsys.readouterr())


def changes(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    code, out, err = diff(capsys, *words, "--format", "json")
    assert (code, err) == (EXIT_OK, "")
    return [change["key"] for change in json.loads(out)["changes"] if "follows" not in change]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("first:training/specs/a.toml", "specs/a.toml"),
        ("HEAD^{/one: all}:./specs/link.toml", "main:training/specs/a.toml"),
        ("first:training/out/a", "HEAD:training/out/a"),
    ],
)
def test_sides_of_a_revision_are_what_they_were_then(capsys: pytest.CaptureFixture[str], old: str, new: str) -> None:
    assert changes(capsys, old, new) == ["training.learning_rate"]


@pytest.mark.usefixtures("project")
def test_a_revision_is_read_whatever_lies_in_the_work_tree(capsys: pytest.CaptureFixture[str]) -> None:
    moved = Path("specs").rename("elsewhere")
    try:
        assert changes(capsys, "first:./specs/a.toml", "HEAD:./specs/a.toml") == ["training.learning_rate"]
    finally:
        moved.rename("specs")


@pytest.mark.usefixtures("project")
def test_overrides_belong_to_the_spec_before_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert changes(capsys, "specs/a.toml", "zero=3") == ["deepspeed.zero.overlap_comm", "deepspeed.zero.stage"]
    assert changes(capsys, "specs/a.toml", "zero=3", "specs/a.toml", "zero=3") == []
    assert changes(capsys, "specs/a.toml", "~size", "first:./specs/a.toml", "training.learning_rate=2e-3") == [
        "model.hidden_size"
    ]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("zero=3", "--gate", "numerics"), EXIT_OK),
        (("zero=3", "--gate", "resources", "--only", "numerics"), EXIT_DIFFERS),
        (("training.learning_rate=5e-3",), EXIT_OK),
    ],
)
def test_a_gate_ends_with_2(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int) -> None:
    found, _, err = diff(capsys, "out/a", "specs/a.toml", *words)
    assert found == code
    assert ("refused by --gate" in err) == (code == EXIT_DIFFERS)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nope:specs/a.toml", "specs/a.toml"), "CFG742"),
        (("--help:x", "specs/a.toml"), "No such option"),
        (("first:specs/a.toml", "specs/a.toml"), "write `first:training/specs/a.toml`"),
        (("first:../../x.toml", "specs/a.toml"), "CFG743"),
        (("first:./specs/out_of.toml", "specs/a.toml"), "CFG743"),
        (("first:./specs", "specs/a.toml"), "CFG740"),
        (("first:training", "specs/a.toml"), "first:training is a directory of bundles"),
        (("specs", "specs/a.toml"), "CFG740"),
        (("out", "out/a"), "out is a directory of bundles, and the other side is none"),
        (("nothing", "specs/a.toml"), "CFG746"),
        (("cfgc.toml", "specs/a.toml"), "CFG129"),
        (("first:./specs/size/wide.toml", "specs/a.toml"), "--> first:training/specs/size/wide.toml"),
        (("specs/a.toml",), "one side given"),
        (("specs/a.toml", "out/a", "out/a"), "3 sides given"),
        (("zero=3", "specs/a.toml"), "comes before any side"),
        (("out/a", "zero=3"), "takes no overrides"),
    ],
)
def test_a_bad_side_is_refused_with_a_reason(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code, out, err = diff(capsys, *words)
    assert code in (EXIT_REJECTED, EXIT_USAGE)
    assert out == ""
    assert said in err


def test_outside_of_a_repository_git_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "not a git repository" in diff(capsys, "HEAD:a", "HEAD:b")[2]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in diff(capsys, "HEAD:a", "HEAD:b")[2]


@pytest.mark.usefixtures("project")
def test_an_edited_bundle_is_refused_and_a_run_directory_is_its_bundle(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree("out/a", tmp_path / "run/bundle")
    assert changes(capsys, str(tmp_path / "run"), "specs/a.toml") == []
    config = tmp_path / "run/bundle/ds_config.json"
    config.write_text(config.read_text().replace("1.0", "2.0", 1))
    code, _, err = diff(capsys, str(tmp_path / "run"), "specs/a.toml")
    assert code == BAD_BUNDLE
    assert "ds_config.json" in err
    (tmp_path / "run/bundle/runtime/__main__.py").unlink()
    assert "runtime/__main__.py" in diff(capsys, "out/a", str(tmp_path / "run"))[2]


@pytest.mark.usefixtures("project")
def test_every_form_of_output(capsys: pytest.CaptureFixture[str]) -> None:
    sides = ("first:./out/a", "out/a")
    assert diff(capsys, *sides)[1].startswith("- first:./out/a\n+ out/a\n")
    assert diff(capsys, *sides, "--format", "markdown")[1].startswith("### `first:./out/a` → `out/a`\n")
    assert json.loads(diff(capsys, *sides, "--format", "json")[1])["worst"] == "numerics"


@pytest.mark.usefixtures("project")
def test_directories_of_bundles_are_compared_bundle_by_bundle(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree("out/a", tmp_path / "group/b")
    shutil.copytree("out/a", tmp_path / "a")
    code, out, _ = diff(capsys, "first:./out", str(tmp_path), "--gate", "numerics")
    assert code == EXIT_DIFFERS
    assert "training.learning_rate" in out
    assert out.endswith("new: group/b\n1 of 1 bundle differs, the worst change is of class numerics\n")
    assert diff(capsys, "out", str(tmp_path), "--gate", "logistics")[:2] == (
        EXIT_OK,
        "new: group/b\n0 of 1 bundle differ\n",
    )
    assert list(json.loads(diff(capsys, "first:./out", "out", "--format", "json")[1])["bundles"]) == ["a"]
    assert diff(capsys, "first:.", ".", "--format", "markdown")[1].startswith("1 of 1 bundle differs, the worst")
    (tmp_path / "a/config.py").write_text("")
    assert diff(capsys, "first:./out", str(tmp_path))[0] == BAD_BUNDLE


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("manifest", ["{", "[]", '{"format": 99}', None])
def test_damaged_bundles_of_a_directory_are_all_named_and_the_rest_is_compared(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, manifest: str | None
) -> None:
    for name in "abc":
        shutil.copytree("out/a", tmp_path / "old" / name)
        shutil.copytree("out/a", tmp_path / "new" / name)
    (tmp_path / "new/b/config.py").write_text("")
    broken = tmp_path / "new/c/manifest.json"
    broken.unlink()
    if manifest is not None:
        broken.write_text(manifest)
    code, out, err = diff(capsys, str(tmp_path / "old"), str(tmp_path / "new"))
    assert (code, out) == (BAD_BUNDLE, "not compared: b, c\n0 of 1 bundle differ\n")
    assert ("CFG745]" in err, "CFG741]" in err, "2 errors" in err) == (True, True, True)
    assert diff(capsys, str(tmp_path / "old/c"), str(tmp_path / "new/c"))[0] == BAD_BUNDLE
    assert diff(capsys, str(tmp_path / "none"), "out/a")[0] == EXIT_USAGE


@pytest.mark.usefixtures("project")
def test_what_is_wrong_with_either_side_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = diff(capsys, "specs/a.toml", "training.maxsteps=1", "specs/a.toml", "model.hiden_size=1")
    assert code == EXIT_REJECTED
    assert "`training.maxsteps`" in err
    assert "`model.hiden_size`" in err
    assert diff(capsys, "nothing", "nothing")[2].count("CFG746]") == 1
