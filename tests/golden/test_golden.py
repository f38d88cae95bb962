"""Each case directory holds a spec and the bundle that it becomes, without the runtime's own files."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from cfgc.emit.bundle import Bundle
from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/spec.toml"))
MANIFEST = PurePosixPath("manifest.json")


def compile_case(name: str) -> Bundle:
    return compile_spec(DiskReader(HERE / name, shipped_dir("specs")), "spec.toml")


def reviewed(bundle: Bundle) -> dict[str, bytes]:
    """The files that a golden keeps: a change of the runtime alone must not touch them."""
    files = {str(path): data for path, data in bundle.files.items() if not is_runtime(path)}
    for name in [name for name in files if PurePosixPath(name).name == MANIFEST.name]:
        manifest = json.loads(files[name])
        manifest["bundle_digest"] = manifest["manifest_digest"] = "sha256:(left out)"
        manifest["outputs"] = {
            output: entry
            for output, entry in manifest["outputs"].items()
            if not is_runtime(PurePosixPath(output)) and PurePosixPath(output).name != MANIFEST.name
        }
        files[name] = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
    return files


def is_runtime(path: PurePosixPath) -> bool:
    """Whether it is a file of the runtime, in the bundle or in that of one of its stages."""
    inside = path.parts[2:] if path.parts[0] == "stages" else path.parts
    return inside[0] == "runtime"


def update(expected: Path, actual: dict[str, bytes]) -> list[str]:
    """Rewrite what differs, delete what is stale; a line for each."""
    said = []
    for name, data in actual.items():
        path = expected / name
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            said.append(f"updated {path}")
    for path in sorted(expected.rglob("*")):
        if path.is_file() and path.relative_to(expected).as_posix() not in actual:
            path.unlink()
            said.append(f"deleted {path}")
    return said


def read_tree(expected: Path) -> dict[str, bytes]:
    files = (path for path in expected.rglob("*") if path.is_file())
    return {path.relative_to(expected).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", CASES)
def test_bundle_is_the_reviewed_one(name: str, update_golden: bool, capsys: pytest.CaptureFixture[str]) -> None:
    expected, actual = HERE / name / "expected", reviewed(compile_case(name))
    if update_golden:
        with capsys.disabled():
            for line in update(expected, actual):
                print(line)
    found = read_tree(expected)
    assert sorted(found) == sorted(actual), "missing or stale files; run pytest tests/golden --update-golden, and read"
    for file, data in actual.items():
        assert found[file].decode() == data.decode(), f"{name}/expected/{file}"


def test_update_rewrites_only_what_changed_and_deletes_what_is_stale(tmp_path: Path) -> None:
    for name in ("same", "old", "stale"):
        (tmp_path / name).write_text(name)
    before = (tmp_path / "same").stat().st_mtime_ns
    said = update(tmp_path, {"same": b"same", "old": b"new", "added": b"added"})
    assert said == [f"updated {tmp_path / 'old'}", f"updated {tmp_path / 'added'}", f"deleted {tmp_path / 'stale'}"]
    assert (tmp_path / "same").stat().st_mtime_ns == before
    assert read_tree(tmp_path) == {"same": b"same", "old": b"new", "added": b"added"}


@pytest.mark.parametrize("name", CASES)
def test_building_resolved_toml_gives_the_same_plan(name: str) -> None:
    from cfgc.load.reader import MemoryReader

    files = compile_case(name).files
    resolved = [path for path in files if path.name == "resolved.toml"]
    assert resolved
    for path in resolved:
        again = compile_spec(
            MemoryReader({"again.toml": files[path]}, DiskReader(HERE / name, shipped_dir("specs"))), "again.toml"
        ).files
        point = files.get(path.with_name("points.jsonl"), b"").partition(b"\n")[0]  # a sweep's is its first point's
        wanted = point or files[path.with_name(MANIFEST.name)]
        digests = [json.loads(one)["plan_digest"] for one in (wanted, again[MANIFEST])]
        assert digests[0] == digests[1]
        assert files[path.with_name("config.py")] == again[PurePosixPath("config.py")]
