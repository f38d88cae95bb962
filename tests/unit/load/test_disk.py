"""Reading a project from disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cfgc.diagnostics import Rejected
from cfgc.load.disk import DiskReader, find_project
from cfgc.load.library import Library
from cfgc.load.loader import load_spec
from cfgc.patch import Patch
from cfgc.resources import shipped_dir


def reader(root: Path) -> DiskReader:
    return DiskReader(root, shipped_dir("specs"))


def refusal(root: Path) -> list[str]:
    with pytest.raises(Rejected) as caught:
        load_spec(reader(root), "spec.toml", (), Patch)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def test_the_project_is_the_nearest_directory_with_a_cfgc_toml(tmp_path: Path) -> None:
    (tmp_path / "cfgc.toml").touch()
    (tmp_path / "inner" / "specs").mkdir(parents=True)
    spec = tmp_path / "inner" / "specs" / "a.toml"
    assert find_project(spec) == (tmp_path, "inner/specs/a.toml")
    (tmp_path / "inner" / "cfgc.toml").touch()
    assert find_project(spec) == (tmp_path / "inner", "specs/a.toml")


def test_without_a_project_file_the_specs_directory_is_the_root(tmp_path: Path) -> None:
    assert find_project(tmp_path / "deep" / "a.toml") == (tmp_path / "deep", "a.toml")


def test_options_come_from_the_project_and_the_shipped_specs(tmp_path: Path) -> None:
    for place in ("specs/zero/mine.toml", "zero/ours.toml"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    library = Library(reader(tmp_path))
    options = library.options("zero")
    assert {"mine", "ours", "2-offload"} <= set(options)
    assert list(options) == sorted(options)
    assert library.groups() == ("cluster", "env", "hardware", "zero")


def test_what_cannot_be_read_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").symlink_to("spec.toml")
    assert refusal(tmp_path) == ["CFG101"]
    (tmp_path / "spec.toml").unlink()
    (tmp_path / "spec.toml").mkdir()
    assert refusal(tmp_path) == ["CFG101"]


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("x" * 300 + ".toml", "spec.toml/below.toml"):
        (tmp_path / "spec.toml").write_text(f'extends = "{name}"')
        assert refusal(tmp_path)[0] in {"CFG101", "CFG102"}


def test_a_directory_is_called_one(tmp_path: Path) -> None:
    for logical in ("", ".", "folder"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises(Rejected) as caught:
            load_spec(reader(tmp_path), logical, (), Patch)
        (finding,) = caught.value.diagnostics
        assert (finding.code, finding.message) == ("CFG101", f"cannot read `{logical}`: it is a directory")


def test_a_pipe_is_no_spec_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "spec.toml")
    with pytest.raises(OSError, match="no regular file"):
        DiskReader(tmp_path, tmp_path).read("spec.toml")
