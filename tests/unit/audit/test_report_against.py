"""cfgc report --against: what the page says of what differs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cfgc.cli import run
from tests.unit.audit.report_pages import SPEC, Read, build, cells, report, section, tree_in
from tests.unit.audit.test_tampering import STAGES


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree_in(tmp_path_factory.mktemp("tree"))


def test_what_differs_is_shown(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    one = tmp_path / "one.html"
    assert report("of/two", "--against", "of/one", "-o", one) == 0
    page = Read(one.read_text())
    assert "What differs from of/one" in page.text
    assert "deepspeed.zero.stage" in page.text.partition("Values, and how")[0]
    assert report("of", "--against", ".", "-o", one) == 0
    assert "Not there any more: of/one, of/two" in Read(one.read_text()).text
    assert report(".", "--against", tree, "-o", one) == 0
    assert Read(one.read_text()).text.count("The same, byte for byte.") == 2


def test_what_follows_and_what_changes_nothing_are_told_as_diff_tells_them(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = [str(tree / "of" / name) for name in ("one", "two")]
    assert run(["diff", *sides]) == 0
    said = capsys.readouterr().out
    assert report(sides[1], "--against", sides[0], "-o", tmp_path / "page.html") == 0
    told = section(Read((tmp_path / "page.html").read_text()), "What differs from")
    heads = ("ds_config.json, which follows from these", "what changes nothing that runs by itself")
    for head in heads:
        assert head in said
        assert head in told
    following, _, rest = told.partition(heads[0])[2].partition(heads[1])
    assert "zero_optimization.stage" in following
    assert "zero_optimization.stage" not in told.partition(heads[0])[0] + rest


def test_an_edited_bundle_is_not_compared(tree: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(tree, tmp_path / "mine"))
    config = mine / "of" / "one" / "config.py"
    config.write_text(config.read_text().replace("learning_rate=0.003", "learning_rate=0.9"))
    (mine / "of" / "two" / "added.py").write_text("import os\n")
    page = tmp_path / "page.html"
    assert report(mine, "--against", tree, "-o", page) == 65
    read = Read(page.read_text())
    assert "byte for byte" not in read.text
    for name in ("one", "two"):
        differs = section(read, f"What differs from {tree}/of/{name}")
        assert differs.strip().startswith("Not compared: this bundle is not what was compiled")
    row = cells(page.read_text(), "of/one")
    assert (row["changes"], row["files"]) == ("not compared", "not as compiled")


def test_a_bundle_that_the_other_tree_has_not_is_new(tree: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(tree, tmp_path / "mine"))
    shutil.copytree(mine / "of" / "one", mine / "of" / "three")
    page = tmp_path / "page.html"
    assert report(mine, "--against", tree, "-o", page) == 0
    read = Read(page.read_text())
    told = {name: cells(page.read_text(), f"of/{name}")["changes"] for name in ("one", "two", "three")}
    assert told == {"one": "none", "two": "none", "three": "new"}
    assert "there is no bundle of/three." in section(read, f"What differs from {tree}\nNew:")


def test_a_pipeline_that_cannot_be_compared_says_so_of_its_stages(tmp_path: Path) -> None:
    for name, spec in (("one", SPEC), ("pipeline", SPEC + STAGES)):
        build(tmp_path / name, spec)
    page = tmp_path / "page.html"
    assert report(tmp_path / "pipeline", "--against", tmp_path / "one", "-o", page) == 1
    for name in ("pipeline", "pipeline/stages/one", "pipeline/stages/two"):
        assert cells(page.read_text(), name)["changes"] == "not compared"


def test_the_other_side_may_be_in_a_revision(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = Path(shutil.copytree(tree, tmp_path / "mine"))
    monkeypatch.chdir(mine)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.autocrlf=false")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "all")):
        subprocess.run(["git", *who, *command], check=True)
    shutil.rmtree("of/one")
    page = tmp_path / "page.html"
    assert report("of", "--against", "HEAD:of", "-o", page) == 0
    text = Read(page.read_text()).text
    assert "Not there any more: one." in text
    assert "What differs from HEAD:of/two" in text
    assert report("of/two", "--against", "HEAD:of/one", "-o", page) == 0
    assert "480" in Read(page.read_text()).text.partition("Values, and how")[0]
    page.unlink()
    assert report("of/two", "--against", "HEAD:nothing", "-o", page) == 64
    assert "nothing written" in capsys.readouterr().err
    assert not page.exists()
