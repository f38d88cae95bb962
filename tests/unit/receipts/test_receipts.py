"""A build of which nothing changed is not made again; a change of anything that it looked at makes it again."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cfgc
import cfgc_runtime
from cfgc.cli import run
from cfgc.receipts import receipt
from cfgc.receipts.receipt import unchanged

SPEC = """extends = "base.toml"
overlays.hardware = "cpu"
overlays.zero = "2"
experiment.name = "tiny"
launch.gpus_per_node = 2

[[data.sources]]
name = "text"
path = "data"
"""
BASE = 'extends = "cfgc:bases/tiny.toml"\ntraining.max_steps = 1000\n'
WORDS = ["build", "spec.toml", "-o", "out/tiny", "experiment.seed=3"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that was built, and its receipt."""
    monkeypatch.setenv("CFGC_CACHE_DIR", str(tmp_path / "cache"))
    root = tmp_path / "project"
    (root / "zero").mkdir(parents=True)
    for name, text in (("spec.toml", SPEC), ("base.toml", BASE), ("zero/mine.toml", ""), ("cfgc.toml", "")):
        (root / name).write_text(text)
    (root / "data").mkdir()
    (root / "data" / "a.txt").write_text("text")
    (root / "own.py").touch()
    monkeypatch.chdir(root)
    assert run(WORDS) == 0
    return root


def receipts(project: Path) -> list[Path]:
    return sorted((project.parent / "cache").rglob("*/*"))


def said() -> str | None:
    return unchanged(WORDS[1:])


def test_nothing_changed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for receipt_there in (True, False):
        if not receipt_there:
            shutil.rmtree(project.parent / "cache")
        assert (said() is not None) == receipt_there
        assert run(WORDS) == 0
        count = len([path for path in Path("out/tiny").rglob("*") if path.is_file()])
        assert capsys.readouterr().err == f"unchanged out/tiny ({count} files; read out/tiny/PLAN.md first)\n"
    assert said() is not None


def appended(path: str) -> Callable[[], object]:
    return lambda: Path(path).write_text(Path(path).read_text() + "\n")


def searched_before() -> None:
    Path("specs/zero").mkdir(parents=True)
    Path("specs/zero/2.toml").touch()


def linked(path: str) -> None:
    """The same, elsewhere."""
    moved = Path(path).rename("elsewhere")
    Path(path).symlink_to(moved.resolve())


CHANGES: dict[str, Callable[[], object]] = {
    "the spec": appended("spec.toml"),
    "a base": appended("base.toml"),
    "the project's file": appended("cfgc.toml"),
    "no project's file": lambda: Path("cfgc.toml").unlink(),
    "a base that is gone": lambda: Path("base.toml").unlink(),
    "an overlay that shadows": lambda: Path("zero/2.toml").write_text("zero.stage = 1\n"),
    "an overlay before it in the search": searched_before,
    "a bundle's file": appended("out/tiny/PLAN.md"),
    "a bundle's mode": lambda: Path("out/tiny/launch.sh").chmod(0o644),
    "a file too many": lambda: Path("out/tiny/more").touch(),
    "a file too few": lambda: Path("out/tiny/PLAN.md").unlink(),
    "a link in its place": lambda: linked("out/tiny/PLAN.md"),
    "the bundle is a link": lambda: linked("out/tiny"),
    "no bundle": lambda: shutil.rmtree("out"),
    "what a killed build left": lambda: Path("out/.tiny.cfgc-1").mkdir(),
    "a bundle around it": lambda: Path("out/manifest.json").touch(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_anything_makes_it_certain_no_more(change: str, project: Path) -> None:
    assert said() is not None
    CHANGES[change]()
    assert said() is None


def test_a_project_that_begins_nearer(project: Path) -> None:
    (project / "inner").mkdir()
    shutil.copy("spec.toml", "inner/spec.toml")
    words = ["inner/spec.toml", "-o", "out/inner"]
    (project / "inner" / "spec.toml").write_text(SPEC.replace('"base.toml"', '"cfgc:bases/tiny.toml"'))
    assert run(["build", *words]) == 0
    assert unchanged(words) is not None
    (project / "inner" / "cfgc.toml").touch()
    assert unchanged(words) is None


@pytest.mark.parametrize(
    "words",
    [
        ["spec.toml", "-o", "out/tiny", "experiment.seed=4"],
        ["spec.toml", "-o", "out/tiny"],
        ["spec.toml", "experiment.seed=3"],
        ["spec.toml", "-o", "out/tiny", "experiment.seed=3", "--check"],
        ["spec.toml", "-o", "out/tiny", "experiment.seed=3", "--format", "json"],
        ["-o", "out/tiny"],
        ["spec.toml", "-o"],
        [],
    ],
)
def test_other_words_are_another_build(words: list[str], project: Path) -> None:
    assert unchanged(words) is None


def test_the_same_words_elsewhere_are_another_build(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "out")
    assert said() is None


def test_another_compiler_makes_it_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt, "compiler_at_start", lambda: "another")
    assert said() is None
    assert run(WORDS) == 0
    assert said() is None, "it changed while it compiled: what runs is not what lies there"


def test_no_damage_of_a_receipt_is_taken_for_one(project: Path) -> None:
    [kept] = receipts(project)
    data = kept.read_bytes()
    chosen = random.Random(0)
    for _ in range(400):
        at = chosen.randrange(len(data))
        kept.write_bytes(data[:at] + bytes([data[at] ^ 1 << chosen.randrange(8)]) + data[at + 1 :])
        assert said() is None
        kept.write_bytes(data[:at])
        assert said() is None
    kept.unlink()
    kept.mkdir()
    assert said() is None
    assert run(WORDS) == 0


@pytest.mark.parametrize("place", ["", "relative", "/dev/null/no", "/proc/no"])
def test_a_place_where_nothing_can_be_kept_costs_only_time(
    place: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CFGC_CACHE_DIR", place)
    assert run(WORDS) == 0
    assert said() is None
    assert not Path("relative").exists()


def test_what_is_said_besides_is_said_each_time(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A build with warnings leaves no receipt, nor does one that looks where no reader looks."""
    for more in ("training.learning_rate=5", "package.kind=files"):
        words = ["build", "spec.toml", "-o", "out/more", more]
        for _ in range(2):
            assert run(words) == 0, capsys.readouterr()
            assert unchanged(words[1:]) is None
        if more[0] == "t":
            assert "warning" in capsys.readouterr().err
        shutil.rmtree("out/more")


def test_old_receipts_are_forgotten(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt, "_MOST", 8)
    for seed in range(40):
        assert run([*WORDS[:-1], f"experiment.seed={seed}"]) == 0
        assert len(receipts(project)) <= 8
    assert unchanged([*WORDS[1:-1], "experiment.seed=39"]) is not None


def test_the_short_road_imports_next_to_nothing(project: Path) -> None:
    code = "import sys; before = set(sys.modules); from cfgc.cli import run; code = run(sys.argv[1:]); "
    code += "print(*(sys.modules.keys() - before)); sys.exit(code)"
    path = os.pathsep.join(str(Path(module.__file__).parents[1]) for module in (cfgc, cfgc_runtime) if module.__file__)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code, *WORDS],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
    ours = {"cfgc", "cfgc.cli", "cfgc.load", "cfgc.load.raw", "cfgc.receipts", "cfgc.receipts.receipt"}
    ours |= {"cfgc.receipts.seen", "cfgc.resources", "cfgc.write", "cfgc.write.scratch", "__future__"}
    python = {"hashlib", "_hashlib", "_blake2", "_sha2", "encodings.unicode_escape"}
    assert set(done.stdout.split()) <= ours | python
