"""``[package] kind = "git"`` and ``"both"``: files as a commit has them, and which commit that is."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from pathlib import Path, PurePosixPath

import pytest

from cfgc.audit.drift import Drift, drift_of
from cfgc.audit.drift_commit import other_commit
from cfgc.audit.drift_errors import differs
from cfgc.audit.drift_road import road_to
from cfgc.audit.git import TreeReader, find_in_revision
from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from tests.unit.packing.projects import FILES, build, commit, git, make, manifest, packed, refusal, text, write

GIT = 'package.kind="git"'
BOTH = 'package.kind="both"'
INCLUDE = 'package.dirty="include"'
CHANGED = "def answer(): return 43\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make(tmp_path)
    commit(tmp_path)
    return tmp_path


def unpacked(root: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name in files}


def test_the_commit_is_recorded_and_its_files_are_packed(project: Path) -> None:
    bundle = build(project, GIT, 'package.repository="https://example.org/team/mine"')
    said = manifest(bundle)["package"]
    assert said["commit"] == git(project, "rev-parse", "HEAD")
    assert said["repository"] == "https://example.org/team/mine"
    assert said["changed"] == []
    assert packed(bundle) == {name: FILES[name].encode() for name in FILES if name.endswith(".py")}
    assert f"`{said['commit']}` of `https://example.org/team/mine`" in text(bundle, "PLAN.md")
    assert tomllib.loads(text(bundle, "resolved.toml"))["package"]["commit"] == said["commit"]


def test_a_commit_of_anything_else_changes_no_bundle(project: Path) -> None:
    before = build(project, GIT)
    for path, data in before.files.items():
        write(project / "out" / "packed" / path, data)
    write(project / "README", "more")
    commit(project, "the bundle itself")
    assert build(project, GIT).files == before.files
    (project / "mine" / "unused.py").write_text("")
    commit(project)
    (project / "mine" / "unused.py").unlink()
    last = commit(project, "a file is gone")
    after = build(project, GIT)
    assert manifest(after)["package"]["commit"] == last
    assert packed(after) == packed(before)


@pytest.mark.parametrize("place", ["/home/ann/code", "~/code", "../code", "file:///home/ann/code"])
def test_a_path_of_this_machine_is_no_place_where_others_get_the_commit(project: Path, place: str) -> None:
    assert refusal(project, GIT, f'package.repository="{place}"')["code"] == "CFG751"


@pytest.mark.parametrize("kind", ["git", "files", "both"])
def test_a_bundle_is_no_code_wherever_it_lies_and_before_it_is_committed(project: Path, kind: str) -> None:
    before = build(project, f'package.kind="{kind}"', 'package.include=["*"]')
    for path, data in before.files.items():
        write(project / "elsewhere" / "rw" / path, data)
    assert build(project, f'package.kind="{kind}"', 'package.include=["*"]').files == before.files
    commit(project, "the bundle itself")
    assert build(project, f'package.kind="{kind}"', 'package.include=["*"]').files == before.files


@pytest.mark.covers("package.dirty")
def test_changes_are_refused_or_go_along_as_a_patch_that_git_takes(project: Path) -> None:
    write(project / "mine" / "parts.py", CHANGED)
    write(project / "mine" / "new.py", "x = 'no newline at the end'")
    write(project / "notes.txt", "no code, so that nobody asks")
    found = refusal(project, GIT)
    assert found["code"] == "CFG754"
    assert "changed or new: mine/new.py, mine/parts.py" in found["said"]
    bundle = build(project, GIT, INCLUDE)
    assert packed(bundle)["mine/parts.py"].decode() == CHANGED
    assert manifest(bundle)["package"]["changed"] == ["mine/new.py", "mine/parts.py"]
    assert "`mine/new.py`, `mine/parts.py`" in text(bundle, "PLAN.md").partition("## What is unusual")[2]
    clone = project.parent / "clone"
    git(project, "clone", "--quiet", project, clone)
    git(clone, "checkout", "--quiet", manifest(bundle)["package"]["commit"])
    patch = bundle.files[PurePosixPath("package.patch")]
    subprocess.run(["git", "-C", clone, "apply", "-"], input=patch, check=True)
    assert unpacked(clone, packed(bundle)) == packed(bundle)


def test_once_the_changes_are_committed_the_patch_is_stale_and_nobody_added_it(project: Path) -> None:
    write(project / "mine" / "parts.py", CHANGED)
    dirty = build(project, GIT, INCLUDE)
    directory = project / "out" / "packed"
    write_bundle(dirty, directory)
    name = manifest(dirty)["package"]["commit"]
    resolved = tomllib.loads(text(dirty, "resolved.toml"))["package"]
    assert "commit" not in resolved, "building resolved.toml would pack that commit without what is changed"
    assert f"# derived: what is packed: commit {name} and package.patch" in text(dirty, "resolved.toml")
    commit(project)
    found = drift_of(build(project, GIT, INCLUDE), directory, "spec.toml")
    assert found is not None
    patches = [one for one in found.files if one.path.name == "package.patch"]
    assert [one.how for one in patches] == ["stale"]
    assert "+def answer(): return 43" in "".join(patches[0].lines)
    (directory / "package.patch").write_text("mine")
    edited = drift_of(build(project, GIT, INCLUDE), directory, "spec.toml")
    assert edited is not None
    assert "edited by hand" in [one.how for one in edited.files if one.path.name == "package.patch"]


def test_a_deleted_file_and_one_of_bytes_are_in_the_patch(project: Path) -> None:
    write(project / "mine" / "table.py", b"\xff\x00")
    commit(project)
    (project / "mine" / "__init__.py").unlink()
    write(project / "mine" / "table.py", b"\xff\x01")
    bundle = build(project, GIT, INCLUDE)
    assert set(packed(bundle)) == {"mine/main.py", "mine/parts.py", "mine/table.py"}
    patch = text(bundle, "package.patch")
    assert "diff --git a/mine/__init__.py b/mine/__init__.py\ndeleted file mode" in patch
    assert "Binary files a/mine/table.py and b/mine/table.py differ" in patch


@pytest.mark.covers("package.commit", "package.repository")
def test_a_named_commit_is_packed_whatever_lies_in_the_directory(project: Path) -> None:
    first = build(project, GIT)
    name = git(project, "rev-parse", "HEAD")
    write(project / "mine" / "parts.py", CHANGED)
    commit(project)
    write(project / "mine" / "parts.py", "broken(")
    again = build(project, GIT, f'package.commit="{name[:10]}"')
    assert packed(again) == packed(first)
    assert manifest(again)["package"]["commit"] == name
    assert manifest(again)["plan_digest"] == manifest(first)["plan_digest"]


@pytest.mark.parametrize(
    ("named", "said"), [("main", "`main` is no commit"), ("abcdef123", "there is no commit `abcdef123`")]
)
def test_what_names_no_commit_is_refused(named: str, said: str, project: Path) -> None:
    found = refusal(project, GIT, f'package.commit="{named}"')
    assert found["code"] == "CFG753"
    assert said in found["said"]


def test_no_repository_no_commit_and_a_shallow_clone_are_refused(tmp_path: Path) -> None:
    root = make(tmp_path / "project")
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert refusal(root, GIT)["code"] == "CFG753"
    git(root, "init", "--quiet")
    assert refusal(root, GIT)["code"] == "CFG753"
    commit(root)
    write(root / "README", "more")
    commit(root)
    clone = tmp_path / "clone"
    git(root, "clone", "--quiet", "--depth=1", f"file://{root}", clone)
    found = refusal(clone, GIT)
    assert found["code"] == "CFG753"
    assert "git fetch --unshallow" in found["said"]
    git(clone, "fetch", "--quiet", "--unshallow")
    assert build(clone, GIT).files == build(root, GIT).files


def test_both_adds_what_git_does_not_know(project: Path) -> None:
    write(project / ".gitignore", "generated.py\n")
    commit(project)
    write(project / "mine" / "generated.py", "made = True\n")
    assert "mine/generated.py" not in packed(build(project, GIT))
    bundle = build(project, BOTH)
    assert packed(bundle)["mine/generated.py"] == b"made = True\n"
    assert manifest(bundle)["package"]["besides"] == ["mine/generated.py"]
    assert "git does not know: `mine/generated.py`" in text(bundle, "PLAN.md")
    write(project / "mine" / "parts.py", CHANGED)
    assert refusal(project, BOTH)["code"] == "CFG754"


def test_a_project_inside_a_repository_and_a_hook_s_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path / "team" / "ml")
    write(tmp_path / "other.py", "")
    commit(tmp_path)
    alone = make(tmp_path.parent / f"{tmp_path.name}-alone")
    name = commit(alone)
    write(tmp_path / "other.py", "changed")
    monkeypatch.setenv("GIT_DIR", str(alone / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", "nothing")
    bundle = build(root, GIT)
    assert manifest(bundle)["package"]["commit"] != name
    assert packed(bundle) == packed(build(alone, GIT))


def test_links_and_submodules_are_refused_and_the_index_is_left_alone(project: Path) -> None:
    (project / "mine" / "linked.py").symlink_to("main.py")
    commit(project)
    index = (project / ".git" / "index").stat().st_mtime_ns
    os.utime(project / "mine" / "main.py")
    found = refusal(project, GIT)
    assert found["code"] == "CFG756"
    assert "`mine/linked.py`" in found["said"]
    assert (project / ".git" / "index").stat().st_mtime_ns == index


def test_a_spec_of_a_revision_packs_the_code_of_that_revision(tmp_path: Path) -> None:
    root = make(tmp_path / "ml [team]" / "one")
    commit(tmp_path)
    before = build(root, GIT)
    write(root / "mine" / "parts.py", CHANGED)
    commit(tmp_path)
    write(root / "mine" / "parts.py", "broken(")
    found = find_in_revision("HEAD~1:ml [team]/one/spec.toml", tmp_path)
    project, logical = found.project()
    reader = TreeReader(found.tree, project, DiskReader(Path("/nowhere"), shipped_dir("specs")))
    assert compile_spec(reader, logical, (GIT,)).files == before.files
    assert packed(compile_spec(reader, logical)) == packed(before)


def test_odd_names_and_texts_travel_as_they_are(project: Path) -> None:
    names = [
        "mine/it's $(id) `x`.py",
        "mine/a b|*c*.py",
        "mine/été \u4e16.py",
        "mine/-rf.py",
        "mine/[x].py",
        "mine/\\d.py",
    ]
    for name in names:
        write(project / name, f"# {name}\n")
    write(project / "mine" / "parts.py", "# a tab\tand no end")
    commit(project)
    odd = "`$(id)` | <b>x</b> 'y'"
    bundle = build(project, GIT, f"package.repository={json.dumps(odd)}")
    assert manifest(bundle)["package"]["repository"] == odd
    assert {name: packed(bundle)[name] for name in names} == {name: f"# {name}\n".encode() for name in names}
    assert (
        build(project, 'package.kind="files"').files[PurePosixPath("package.tar")]
        == bundle.files[PurePosixPath("package.tar")]
    )
    write(project / "mine" / "two\nlines.py", "")
    assert refusal(project, 'package.kind="files"')["code"] == "CFG756"


STAGES = '[[stages]]\nname = "one"\n[[stages]]\nname = "two"\nneeds = ["one"]\n'


def squashed(root: Path) -> tuple[str, str]:
    """Bundles of a branch that was merged as one commit: its own, and the one of the branch that stays."""
    git(root, "switch", "--quiet", "--create", "feature")
    write(root / "mine" / "parts.py", CHANGED)
    write(root / "chain.toml", (root / "spec.toml").read_text() + STAGES)
    own = commit(root)
    for spec in ("spec", "chain"):
        write_bundle(build(root, GIT, spec=f"{spec}.toml"), root / "out" / spec)
    commit(root, "the bundles")
    git(root, "switch", "--quiet", "main")
    git(root, "merge", "--quiet", "--squash", "feature")
    git(root, "commit", "--quiet", "--message", "squashed")
    return own, git(root, "rev-parse", "HEAD")


def drifted(root: Path, spec: str) -> Drift:
    drift = drift_of(build(root, GIT, spec=f"{spec}.toml"), root / "out" / spec, f"{spec}.toml")
    assert drift
    return drift


@pytest.mark.parametrize("spec", ["spec", "chain"])
def test_a_squash_gives_the_same_code_another_commit_and_that_is_told_apart(spec: str, project: Path) -> None:
    pair = squashed(project)
    drift = drifted(project, spec)
    assert other_commit(drift) == pair
    said = differs(drift, road_to(build(project, GIT, spec=f"{spec}.toml"), drift.directory, (f"{spec}.toml",)))
    assert said.code == "CFG730"
    assert f"nothing differs but the commit of the package: {pair[0][:12]} → {pair[1][:12]}" in said.notes[0]
    assert "squash or a rebase" in said.notes[1]
    write(project / "spec.toml", (project / "spec.toml").read_text() + "# another\n")
    write(project / "chain.toml", (project / "chain.toml").read_text() + "# another\n")
    assert other_commit(drifted(project, spec)) is None


def test_other_code_an_edit_and_a_file_more_are_no_rewritten_history(project: Path) -> None:
    squashed(project)
    bundle = project / "out" / "spec"
    write(bundle / "more", "")
    assert other_commit(drifted(project, "spec")) is None
    (bundle / "more").unlink()
    plan = (bundle / "PLAN.md").read_text()
    write(bundle / "PLAN.md", plan.replace("# packed", "# Packed"))
    assert other_commit(drifted(project, "spec")) is None
    write(bundle / "PLAN.md", plan)
    assert other_commit(drifted(project, "spec"))
    write(project / "mine" / "parts.py", "def answer(): return 44\n")
    commit(project)
    assert other_commit(drifted(project, "spec")) is None


def test_a_merge_keeps_the_commit_and_the_bundle_holds(project: Path) -> None:
    git(project, "switch", "--quiet", "--create", "feature")
    write(project / "mine" / "parts.py", CHANGED)
    commit(project)
    write_bundle(build(project, GIT), project / "out" / "spec")
    commit(project, "the bundle")
    git(project, "switch", "--quiet", "main")
    git(project, "merge", "--quiet", "--no-ff", "--message", "merged", "feature")
    assert drift_of(build(project, GIT), project / "out" / "spec", "spec.toml") is None
