"""Every shipped example compiles, twice to the same bytes; the committed bundles are what the compiler says now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from cfgc.emit.bundle import Bundle
from cfgc.load.disk import DiskReader, find_project
from cfgc.pipeline import check, compile_spec
from cfgc.resources import shipped_dir
from tools import rebuild_out

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((REPOSITORY / "specs" / "examples").glob("*.toml"))
COMMITTED = sorted(path.name for path in (REPOSITORY / "out").iterdir() if path.is_dir())


def build(spec: Path) -> Bundle:
    root, logical = find_project(spec)
    return compile_spec(DiskReader(root, shipped_dir("specs")), logical)


def tree(directory: Path) -> Mapping[PurePosixPath, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {PurePosixPath(path.relative_to(directory).as_posix()): path.read_bytes() for path in files}


@pytest.mark.parametrize("spec", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_compiles_to_the_same_bytes_each_time(spec: Path) -> None:
    assert build(spec).files == build(spec).files


@pytest.mark.parametrize("spec", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_no_warning(spec: Path) -> None:
    root, logical = find_project(spec)
    assert check(DiskReader(root, shipped_dir("specs")), logical).warnings == ()


def test_three_bundles_are_committed() -> None:
    assert sorted(rebuild_out.COMMITTED) == COMMITTED
    assert len(COMMITTED) >= 3


@pytest.mark.parametrize("name", COMMITTED)
def test_a_committed_bundle_has_not_drifted(name: str) -> None:
    bundle = build(REPOSITORY / "specs" / "examples" / f"{name}.toml")
    committed = tree(REPOSITORY / "out" / name)
    assert sorted(committed) == sorted(bundle.files), "run `make out`"
    assert [path for path, data in committed.items() if data != bundle.files[path]] == [], "run `make out`"
