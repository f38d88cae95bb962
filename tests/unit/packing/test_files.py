"""``[package] kind = "files"``: what lies in the project, by patterns, as an archive of the same bytes anywhere."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from cfgc.audit.drift import drift_of
from cfgc.audit.drift_text import drift_text
from cfgc.diagnostics import Rejected
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.packing.archive import tar_of
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from tests.unit.packing.projects import FILES, SPEC, build, make, manifest, packed, refusal, text, write

SOURCES = {"mine/__init__.py", "mine/main.py", "mine/parts.py"}


@pytest.mark.covers("package.kind")
def test_python_files_are_packed_and_the_manifest_has_their_digests(tmp_path: Path) -> None:
    bundle = build(make(tmp_path))
    assert packed(bundle) == {name: FILES[name].encode() for name in SOURCES}
    said = manifest(bundle)["package"]
    archive = bundle.files[PurePosixPath("package.tar")]
    assert said["sha256"] == hashlib.sha256(archive).hexdigest() == manifest(bundle)["outputs"]["package.tar"]["sha256"]
    assert said["files"]["mine/parts.py"] == hashlib.sha256(FILES["mine/parts.py"].encode()).hexdigest()
    assert said["sha256"] in text(bundle, "PLAN.md")
    assert said["sha256"] in text(bundle, "config.py")
    assert "package.tar" not in map(str, build(tmp_path, 'package.kind="none"').files)


@pytest.mark.covers("package.include", "package.exclude")
def test_patterns_choose(tmp_path: Path) -> None:
    make(tmp_path, mine__test__main_test="", scripts__run="#!/bin/sh\n")
    names = set(packed(build(tmp_path, 'package.include=["mine", "scripts/*"]', 'package.exclude=["*_test", "*.txt"]')))
    assert names == {*SOURCES, "scripts/run"}


@pytest.mark.covers("package.subdirectory")
def test_a_subdirectory_is_the_root_of_the_package(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "mine").rename(tmp_path / "code" / "mine")
    bundle = build(tmp_path, "package.subdirectory=code")
    assert set(packed(bundle)) == SOURCES
    write(tmp_path / "code" / "mine" / "main.py", "def walk(): ...")
    assert refusal(tmp_path, "package.subdirectory=code")["code"] == "CFG471"


@pytest.mark.parametrize("folder", ["/", "//", "/mine", "../mine", "mine/.."])
def test_a_subdirectory_is_one_of_the_project(tmp_path: Path, folder: str) -> None:
    assert refusal(make(tmp_path), f'package.subdirectory="{folder}"')["code"] == "CFG755"


def test_what_is_made_of_code_is_not_packed(tmp_path: Path) -> None:
    make(tmp_path)
    for made in (".venv/a.py", "env/b.py", "mine/__pycache__/c.py", "node_modules/d.py", "out/packed/runtime/e.py"):
        write(tmp_path / made, "")
    write(tmp_path / "env" / "pyvenv.cfg", "")
    for name in ("elsewhere/manifest.json", "elsewhere/PLAN.md", "elsewhere/f.py", "runs/x/run.json"):
        write(tmp_path / name, "")
    for name in ("runs/x/attempts/001/log", "runs/x/package/0123/mine/main.py"):
        write(tmp_path / name, "")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert set(packed(build(tmp_path))) == SOURCES


def test_times_owners_modes_and_the_order_of_a_directory_do_not_matter(tmp_path: Path) -> None:
    one, other = make(tmp_path / "one"), tmp_path / "other"
    for name in reversed(FILES):
        write(other / name, FILES[name])
        os.utime(other / name, (1, 1))
        (other / name).chmod(0o700)
    assert build(one).files == build(other).files
    with tarfile.open(fileobj=io.BytesIO(build(one).files[PurePosixPath("package.tar")])) as tar:
        about = {(member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode) for member in tar}
    assert about == {(0, 0, 0, "", "", 0o644)}


def test_the_bytes_of_an_archive_are_those_of_every_release_of_python() -> None:
    long = "/".join(["directory"] * 14) + "/été.py"
    data = tar_of({"b.py": b"x = 1\n", "a.sh": b"#!/bin/sh\n", long: b"", "c.bin": bytes(1000)})
    assert hashlib.sha256(data).hexdigest() == "9db56767c169702d1d3e190bc4a20f6202a93aaffdfe154bc36e467c70193194"


@pytest.mark.parametrize(
    ("include", "code", "said"),
    [
        ('["modles/*.py"]', "CFG755", "no file of the project matches `modles/*.py`"),
        ('["../x.py"]', "CFG755", "`../x.py` is no pattern"),
        ('["/x.py"]', "CFG755", "`/x.py` is no pattern"),
        ("[]", "CFG755", "nothing is included"),
        ('["mine", "linked.py"]', "CFG756", "a link"),
        ('["mine", "large.bin"]', "CFG756", "262,145 bytes"),
        ('["mine", "hub.py"]', "CFG757", "hub.py:2: a Hugging Face token"),
        ('["mine/parts.py"]', "CFG758", "`mine.main` is in the project, and not in the package"),
    ],
)
def test_what_cannot_be_packed_is_refused(include: str, code: str, said: str, tmp_path: Path) -> None:
    token = "hf_" + "aB3" * 10
    more: dict[str, str | bytes] = {"hub.py": f"import x\nlogin('{token}')\n", "large.bin": bytes(262145)}
    make(tmp_path, large_bin="", **more)
    (tmp_path / "linked.py").symlink_to("mine/main.py")
    found = refusal(tmp_path, f"package.include={include}")
    assert found["code"] == code
    assert said in found["said"]
    assert token not in found["said"]


@pytest.mark.parametrize("include", ['["mine"]', '["*.py"]', '["mine/shared"]'])
def test_a_link_to_a_directory_is_refused_as_one_to_a_file_is(include: str, tmp_path: Path) -> None:
    make(tmp_path / "project")
    write(tmp_path / "shared" / "lib.py", "x = 1\n")
    (tmp_path / "project" / "mine" / "shared").symlink_to("../../shared")
    found = refusal(tmp_path / "project", f"package.include={include}")
    assert found["code"] == "CFG756"
    assert "`mine/shared` cannot be packed" in found["said"]
    assert "a link" in found["said"]
    build(tmp_path / "project", 'package.include=["mine"]', 'package.exclude=["mine/shared"]')


def test_a_link_to_what_is_no_code_is_none_that_is_missed(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("made/manifest.json", "made/PLAN.md", "made/f.py", "data/corpus.txt"):
        write(tmp_path / "elsewhere" / name, "")
    for name in ("made", "data"):
        (tmp_path / f"latest_{name}").symlink_to(f"elsewhere/{name}")
    assert set(packed(build(tmp_path))) == SOURCES


def test_a_password_that_is_put_in_later_is_no_secret(tmp_path: Path) -> None:
    make(tmp_path, **{"mine/url.py": 'url = f"https://{user}:{password}@example.org"\n'})
    assert "mine/url.py" in packed(build(tmp_path))


@pytest.mark.covers("package.sha256")
def test_the_digest_of_resolved_toml_holds_until_the_code_changes(tmp_path: Path) -> None:
    bundle = build(make(tmp_path))
    write(tmp_path / "again.toml", text(bundle, "resolved.toml"))
    again = build(tmp_path, spec="again.toml")
    assert manifest(again)["plan_digest"] == manifest(bundle)["plan_digest"]
    write(tmp_path / "mine" / "parts.py", "def answer(): return 41\n")
    with pytest.raises(Rejected, match="CFG759"):
        build(tmp_path, spec="again.toml")


def test_other_code_is_another_plan_and_a_change_of_numerics(tmp_path: Path) -> None:
    before = build(make(tmp_path))
    write(tmp_path / "mine" / "parts.py", "def answer(): return 41\n")
    after = build(tmp_path)
    assert manifest(before)["plan_digest"] != manifest(after)["plan_digest"]
    assert '"package.sha256"' in text(after, "values.json").partition('"resources"')[0]


def test_a_project_in_memory_is_packed_too() -> None:
    reader = MemoryReader({**FILES, "spec.toml": SPEC}, DiskReader(Path("/nowhere"), shipped_dir("specs")))
    assert set(packed(compile_spec(reader, "spec.toml"))) == SOURCES


def test_what_differs_of_an_archive_is_told_by_its_files_and_not_by_its_bytes(tmp_path: Path) -> None:
    write_bundle(build(make(tmp_path)), tmp_path / "out" / "packed")
    write(tmp_path / "mine" / "parts.py", "def answer(): return 41\n")
    found = drift_of(build(tmp_path), tmp_path / "out" / "packed", "spec.toml")
    assert found is not None
    said = drift_text(found)
    assert "package.tar stale" in said
    assert "1 file of the code differs" in said
    assert "~ mine/parts.py" in said
    assert "ustar" not in said


@pytest.mark.parametrize(
    ("path", "name"),
    [("torch/__init__.py", "torch"), ("logging.py", "logging"), ("src/deepspeed/__init__.py", "deepspeed")],
)
def test_a_package_that_hides_what_the_run_needs_is_refused(path: str, name: str, tmp_path: Path) -> None:
    write(make(tmp_path) / path, "")
    found = refusal(tmp_path)
    assert found["code"] == "CFG752"
    assert f"`{path}` hides the module `{name}`" in found["said"]
    left_out = found["said"].partition("`exclude = ")[2].partition("`")[0]
    assert path not in packed(build(tmp_path, f"package.exclude={left_out}"))


def test_names_of_libraries_further_down_hide_nothing(tmp_path: Path) -> None:
    names = ("mine/torch.py", "mine/logging/__init__.py", "numpy/words.py", "torchlike.py")
    make(tmp_path)
    for name in names:
        write(tmp_path / name, "")
    assert set(names) <= set(packed(build(tmp_path)))


@pytest.mark.parametrize("digest", ["", "@sha256:" + "ab" * 32])
def test_the_image_of_a_container_is_recorded_with_its_digest(digest: str, tmp_path: Path) -> None:
    image = f"registry.example.org/team/train:24.01{digest}"
    container = ('cluster.container.kind="pyxis"', f'cluster.container.image="{image}"')
    bundle = build(make(tmp_path), 'package.kind="none"', *container)
    assert manifest(bundle)["container"] == {"kind": "pyxis", "image": image, "digest": digest[1:]}
    assert ("may mean another one later" in text(bundle, "PLAN.md")) == (not digest)
