"""write_bundle: whole or not at all, and never over somebody's files."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from cfgc.diagnostics import Rejected
from cfgc.write import exchange, tree
from cfgc.write.existing import edited_files
from cfgc.write.writer import write_bundle
from tests.unit.write.bundles import bundle_of, content, expected, names

OLD = bundle_of(PLAN_md="old", launch_sh="#!/bin/bash", stale_txt="stale", runtime__gone__x_py="x = 1")
NEW = bundle_of(PLAN_md="new", launch_sh="#!/bin/bash", runtime__a_py="a = 1")


def refusal(directory: Path, code: str) -> str:
    """The refused write's text; everything on disk stays as it was."""
    before = sorted((path, path.lstat().st_mtime_ns) for path in directory.parent.rglob("*"))
    with pytest.raises(Rejected) as caught:
        write_bundle(NEW, directory)
    assert sorted((path, path.lstat().st_mtime_ns) for path in directory.parent.rglob("*")) == before
    (found,) = caught.value.diagnostics
    assert found.code == code
    return f"{found.message} {' '.join(found.notes)} {' '.join(found.helps)}"


def test_a_new_bundle_is_written_with_its_parents(tmp_path: Path) -> None:
    assert write_bundle(NEW, tmp_path / "out" / "b") == "written"
    assert content(tmp_path / "out" / "b") == expected(NEW)
    assert names(tmp_path / "out") == ["b"]


def test_an_older_bundle_is_replaced_whole(tmp_path: Path) -> None:
    write_bundle(OLD, tmp_path / "b")
    assert write_bundle(NEW, tmp_path / "b") == "replaced"
    assert content(tmp_path / "b") == expected(NEW)
    assert not (tmp_path / "b" / "runtime" / "gone").exists()
    assert names(tmp_path) == ["b"]


def test_equal_bytes_touch_nothing(tmp_path: Path) -> None:
    write_bundle(NEW, tmp_path / "b")
    before = {path: path.stat() for path in (tmp_path, tmp_path / "b", *(tmp_path / "b").rglob("*"))}
    assert write_bundle(NEW, tmp_path / "b") == "unchanged"
    assert {path: (s.st_ino, s.st_mtime_ns) for path, s in before.items()} == {
        path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in before
    }


@pytest.mark.parametrize("damage", ["edited", "deleted", "mode"])
def test_a_damaged_bundle_is_restored(tmp_path: Path, damage: str) -> None:
    write_bundle(NEW, tmp_path / "b")
    path = tmp_path / "b" / "launch.sh"
    if damage == "deleted":
        path.unlink()
    else:
        path.chmod(0o644)
        path.write_text("#!/bin/bash" if damage == "mode" else "rm")
    assert write_bundle(NEW, tmp_path / "b") == "replaced"
    assert content(tmp_path / "b") == expected(NEW)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_bundle(NEW, tmp_path / "b")
    finally:
        os.umask(before)
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "b", *(tmp_path / "b").rglob("*"))}
    assert found == {
        "b": 0o755, "runtime": 0o755, "a.py": 0o644, "PLAN.md": 0o644, "launch.sh": 0o755, "manifest.json": 0o644,
    }  # fmt: skip


def test_an_empty_directory_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write_bundle(NEW, tmp_path / "b")
    assert content(tmp_path / "b") == expected(NEW)


@pytest.mark.parametrize(
    "manifest", [None, "", "{}", "[]", '{"outputs": []}', '{"outputs": {}, "root": "spec.toml"}', "\udcff", '{"a":' * 9]
)
def test_a_directory_that_is_no_bundle_is_refused(tmp_path: Path, manifest: str | None) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").write_text("years of work")
    if manifest is not None:
        (tmp_path / "b" / "manifest.json").write_bytes(manifest.encode(errors="surrogateescape"))
    assert "is not a bundle" in refusal(tmp_path / "b", "CFG701")


@pytest.mark.parametrize("name", ["notes.txt", "runtime/log", ".hidden", "link"])
def test_files_that_the_manifest_does_not_list_are_named(tmp_path: Path, name: str) -> None:
    write_bundle(OLD, tmp_path / "b")
    extra = tmp_path / "b" / name
    if name == "link":
        extra.symlink_to(tmp_path)
    else:
        extra.write_text("mine")
    assert f"`{name}`" in refusal(tmp_path / "b", "CFG702")


def test_python_s_caches_are_no_reason_to_refuse(tmp_path: Path) -> None:
    write_bundle(OLD, tmp_path / "b")
    cache = tmp_path / "b" / "runtime" / "gone" / "__pycache__"
    cache.mkdir()
    (cache / "x.cpython-311.pyc").write_bytes(b"")
    assert write_bundle(OLD, tmp_path / "b") == "unchanged"
    assert write_bundle(NEW, tmp_path / "b") == "replaced"


def test_the_bundle_of_another_spec_is_refused(tmp_path: Path) -> None:
    write_bundle(bundle_of(root="specs/other.toml", PLAN_md="x"), tmp_path / "b")
    text = refusal(tmp_path / "b", "CFG703")
    assert "`specs/other.toml`" in text
    assert "`spec.toml`" in text


@pytest.mark.parametrize("target", ["bundle", "empty", "missing"])
def test_a_link_is_refused(tmp_path: Path, target: str) -> None:
    if target == "bundle":
        write_bundle(OLD, tmp_path / "bundle")
    elif target == "empty":
        (tmp_path / "empty").mkdir()
    (tmp_path / "b").symlink_to(tmp_path / target)
    assert "a symbolic link" in refusal(tmp_path / "b", "CFG705")


def test_a_link_to_an_equal_bundle_is_refused_too(tmp_path: Path) -> None:
    write_bundle(NEW, tmp_path / "bundle")
    (tmp_path / "b").symlink_to(tmp_path / "bundle")
    refusal(tmp_path / "b", "CFG705")


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    assert "not a directory" in refusal(tmp_path / "b", "CFG705")


def test_a_parent_that_is_a_file_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(Rejected, match="CFG704"):
        write_bundle(NEW, tmp_path / "file" / "b")


def test_a_full_disk_leaves_the_old_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(OLD, tmp_path / "b")
    written: list[Path] = []

    def write_some(path: Path, data: bytes, mode: int) -> None:
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        written.append(path)
        path.write_bytes(data)
        path.chmod(mode)

    monkeypatch.setattr(tree, "_write_file", write_some)
    with pytest.raises(Rejected) as caught:
        write_bundle(NEW, tmp_path / "b")
    assert "No space left on device" in caught.value.diagnostics[0].message
    assert content(tmp_path / "b") == expected(OLD)
    assert names(tmp_path) == ["b"]


@pytest.mark.parametrize("there", [True, False])
def test_without_the_exchange_call_renames_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(exchange, "_renameat2", lambda: None)
    if there:
        write_bundle(OLD, tmp_path / "b")
    assert write_bundle(NEW, tmp_path / "b") == ("replaced" if there else "written")
    assert content(tmp_path / "b") == expected(NEW)
    assert names(tmp_path) == ["b"]


def test_a_second_rename_that_fails_puts_the_old_bundle_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(OLD, tmp_path / "b")
    monkeypatch.setattr(exchange, "_renameat2", lambda: None)
    rename = Path.rename

    def fail_for_new(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with pytest.raises(Rejected, match="CFG704"):
        write_bundle(NEW, tmp_path / "b")
    assert content(tmp_path / "b") == expected(OLD)
    assert names(tmp_path) == ["b"]


def test_what_a_killed_build_left_is_cleaned_even_when_nothing_changed(tmp_path: Path) -> None:
    write_bundle(NEW, tmp_path / "b")
    (tmp_path / ".b.cfgc-dead" / "new").mkdir(parents=True)
    (tmp_path / ".other.cfgc-alive").mkdir()
    assert write_bundle(NEW, tmp_path / "b") == "unchanged"
    assert names(tmp_path) == [".other.cfgc-alive", "b"]


def test_a_bundle_that_a_killed_build_had_set_aside_comes_back(tmp_path: Path) -> None:
    write_bundle(OLD, tmp_path / "b")
    (tmp_path / ".b.cfgc-dead").mkdir()
    (tmp_path / "b").rename(tmp_path / ".b.cfgc-dead" / "old")
    other_root = bundle_of(root="other.toml", PLAN_md="x")
    with pytest.raises(Rejected, match="CFG703"):
        write_bundle(other_root, tmp_path / "b")
    assert content(tmp_path / "b") == expected(OLD)


def test_a_file_system_without_locks_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.EBADF, "no locks here")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert write_bundle(NEW, tmp_path / "b") == "written"
    assert content(tmp_path / "b") == expected(NEW)


@pytest.mark.parametrize("inside", [".", "deeper/still"])
def test_the_current_directory_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str) -> None:
    (tmp_path / "b" / inside).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "b" / inside)
    refusal(tmp_path / "b", "CFG706")


def test_no_bundle_inside_a_bundle(tmp_path: Path) -> None:
    write_bundle(OLD, tmp_path / "b")
    assert f"`{tmp_path / 'b'}`" in refusal(tmp_path / "b" / "runtime" / "c", "CFG707")


def test_edits_by_hand_are_known_by_name(tmp_path: Path) -> None:
    write_bundle(OLD, tmp_path / "b")
    assert edited_files(tmp_path / "b") == []
    (tmp_path / "b" / "PLAN.md").write_text("mine")
    assert edited_files(tmp_path / "b") == ["PLAN.md"]
    assert edited_files(tmp_path / "nothing") == []


def test_logs_of_slurm_hinder_nothing_and_are_kept(tmp_path: Path) -> None:
    """Plain sbatch in the bundle's directory leaves them there."""
    write_bundle(OLD, tmp_path / "b")
    log = tmp_path / "b" / "slurm-demo-17.out"
    with log.open("w") as file:
        file.write("begins\n")
        file.flush()
        assert write_bundle(OLD, tmp_path / "b") == "unchanged"
        assert write_bundle(NEW, tmp_path / "b") == "replaced"
        file.write("goes on\n")
    assert log.read_text() == "begins\ngoes on\n"
    log.unlink()
    assert content(tmp_path / "b") == expected(NEW)
