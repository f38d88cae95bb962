"""The user's code in the bundle: unpacked once, found first, and never run when it was edited."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cfgc.load.disk import DiskReader
from cfgc.packing.archive import tar_of
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from cfgc_runtime.config import Package
from cfgc_runtime.errors import BAD_BUNDLE, CANNOT_WRITE, Failure
from cfgc_runtime.package import place_of, search_path, unpack
from cfgc_runtime.rundir import RunDirectory
from tests.runtime.bundles import HERE, Run, free_port

PROJECT = HERE.parent / "user_package"
FILES = {"mine/main.py": b"x = 1\n", "src/other.py": b"", "tool": b"#!/bin/sh\n"}
PACKAGE = cast("Package", SimpleNamespace(sha256="0123456789abcdef" * 4, roots=("", "src/")))


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run directory beside a bundle that has a package."""
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "package.tar").write_bytes(tar_of(FILES))
    (tmp_path / "run").mkdir()
    return RunDirectory(tmp_path / "run")


def take(run: RunDirectory) -> Path:
    unpack(run.root.parent / "bundle", PACKAGE, run)
    return place_of(PACKAGE, run)


def test_it_is_unpacked_once_whole_and_what_is_a_program_can_be_started(run: RunDirectory) -> None:
    place = take(run)
    assert {name: (place / name).read_bytes() for name in FILES} == FILES
    assert os.access(place / "tool", os.X_OK)
    assert not os.access(place / "mine" / "main.py", os.X_OK)
    before = place.stat().st_ino
    assert take(run).stat().st_ino == before
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_nodes_that_unpack_at_once_find_one_whole_package(run: RunDirectory) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: take(run), range(8)))) == 1
    assert {path.name for path in place_of(PACKAGE, run).parent.iterdir()} == {"0123456789abcdef"}


def test_python_looks_there_before_it_looks_where_the_shell_says(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(PACKAGE, run)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert search_path(PACKAGE, run) == {"PYTHONPATH": f"{place}:{place / 'src'}"}
    monkeypatch.setenv("PYTHONPATH", "/shell")
    assert search_path(PACKAGE, run) == {"PYTHONPATH": f"{place}:{place / 'src'}:/shell"}
    assert search_path(cast("Package", SimpleNamespace(sha256="", roots=())), run) == {}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("mine/main.py", b"x = 2\n", "edited: mine/main.py"),
        ("mine/main.py", None, "missing: mine/main.py"),
        ("torch.py", b"", "added: torch.py"),
    ],
)
def test_code_that_was_edited_does_not_run(name: str, data: bytes | None, said: str, run: RunDirectory) -> None:
    place = take(run)
    (place / name).unlink(missing_ok=True)
    if data is not None:
        (place / name).write_bytes(data)
    with pytest.raises(Failure, match=said) as caught:
        take(run)
    assert caught.value.code == BAD_BUNDLE
    shutil.rmtree(place)
    take(run)


def test_what_the_code_writes_beside_itself_is_no_edit(run: RunDirectory) -> None:
    (take(run) / "mine" / "cache.bin").write_bytes(b"made on the way")
    take(run)


def test_a_place_that_cannot_be_written_is_named(run: RunDirectory) -> None:
    (run.root / "package").write_text("in the way")
    with pytest.raises(Failure, match=rf"cannot be unpacked: .*{run.root}") as caught:
        take(run)
    assert caught.value.code == CANNOT_WRITE


@pytest.mark.parametrize("name", ["../out.py", "/out.py"])
def test_an_archive_that_leads_out_of_its_place_is_refused(name: str, run: RunDirectory) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    (run.root.parent / "bundle" / "package.tar").write_bytes(buffer.getvalue())
    with pytest.raises(Failure, match="no file of a package"):
        take(run)
    assert list(run.root.rglob("*")) == []


@pytest.mark.parametrize("data", [b"", b"no archive", tar_of(FILES)[:700]])
def test_an_archive_that_is_damaged_is_refused(data: bytes, run: RunDirectory) -> None:
    (run.root.parent / "bundle" / "package.tar").write_bytes(data)
    with pytest.raises(Failure, match=r"package\.tar") as caught:
        take(run)
    assert caught.value.code == BAD_BUNDLE


def packed_run(directory: Path, spec: str, *overrides: str) -> Run:
    """A run of the user's package whose code is in the bundle alone; a broken copy lies where the shell looks."""
    project = directory / "project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__"))
    packing = ('package.kind="files"', 'package.include=["shapes"]', f"launch.master_port={free_port()}")
    bundle = compile_spec(DiskReader(project, shipped_dir("specs")), f"specs/{spec}.toml", (*packing, *overrides))
    write_bundle(bundle, directory / "bundle")
    shutil.rmtree(project)
    decoy = directory / "decoy" / "shapes"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").write_text("raise SystemExit('this is not the code that was packed')")
    return Run(directory / "bundle", directory)


@pytest.mark.slow
@pytest.mark.covers("package.*")
def test_a_training_runs_on_the_packed_code_when_the_original_is_gone(tmp_path: Path) -> None:
    run = packed_run(tmp_path, "cnn", "training.max_steps=4", "training.warmup_steps=1", "evaluation.every_steps=4")
    path = os.pathsep.join((str(HERE / "site"), str(tmp_path / "decoy")))
    outcome = run.to_end(PYTHONPATH=path)
    assert outcome.code == 0, (outcome, run.logs())
    assert run.steps()[-1:] == [4]
    code = json.loads((run.directory / "run.json").read_text())["attempts"][0]["code"]
    assert set(code) == {"shapes", "shapes.model", "shapes.data", "shapes.training"}
    (place,) = (run.directory / "package").iterdir()
    assert all(Path(module["file"]).is_relative_to(place) for module in code.values())
    assert not list(place.rglob("__pycache__"))


@pytest.mark.slow
def test_a_task_runs_on_the_packed_code_and_not_on_what_somebody_made_of_it(tmp_path: Path) -> None:
    run = packed_run(tmp_path, "task", "task.arguments={ steps = 2 }")
    path = str(tmp_path / "decoy")
    outcome = run.to_end(PYTHONPATH=path)
    assert outcome.code == 0, (outcome, run.logs())
    (place,) = (run.directory / "package").iterdir()
    (run.directory / "finished.json").unlink()
    (place / "shapes" / "task.py").write_text("def main(steps, pause=0): return 0\n")
    edited = run.to_end(PYTHONPATH=path)
    assert edited.code == BAD_BUNDLE, (edited, run.logs())
    assert "edited: shapes/task.py" in edited.err
