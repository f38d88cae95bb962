"""An edited bundle is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.manifest import verify_bundle
from tests.runtime.bundles import compile_tiny, copy_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_tiny(tmp_path_factory.mktemp("manifest") / "bundle")


def test_what_was_compiled_is_accepted(bundle: Path) -> None:
    assert verify_bundle(bundle).experiment == "tiny"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_any_flipped_bit_is_refused_by_name(bundle: Path, choice: st.DataObject) -> None:
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path.stat().st_size)
    path = choice.draw(st.sampled_from(files))
    original = path.read_bytes()
    place = choice.draw(st.integers(0, len(original) - 1))
    edited = bytearray(original)
    edited[place] ^= 1 << choice.draw(st.integers(0, 7))
    try:
        path.write_bytes(edited)
        with pytest.raises(Failure, match=path.name) as caught:
            verify_bundle(bundle)
        assert caught.value.code == BAD_BUNDLE
    finally:
        path.write_bytes(original)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda bundle: (bundle / "notes.txt").write_text("mine"), "added: notes.txt"),
        (lambda bundle: (bundle / "runtime" / "torch.py").write_text(""), "added: runtime/torch.py"),
        (lambda bundle: (bundle / "config.py").unlink(), "missing: config.py"),
        (lambda bundle: (bundle / "config.py").write_text("X = 1\n"), "edited: config.py"),
    ],
)
def test_the_command_names_the_file_and_says_how_to_rebuild(
    bundle: Path, tmp_path: Path, change: object, sentence: str
) -> None:
    copy = copy_bundle(bundle, tmp_path / "copy")
    change(copy)  # type: ignore[operator]
    command = [sys.executable, "-B", str(copy / "runtime")]
    done = subprocess.run([*command, "verify"], capture_output=True, text=True, check=False)
    assert done.returncode == 65
    assert sentence in done.stderr
    assert "rebuild: cfgc build" in done.stderr
    staged = subprocess.run(
        [*command, "stage", "--bundle", str(copy), "--run-dir", str(tmp_path / "run")], capture_output=True, check=False
    )
    assert staged.returncode == 65
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": []},
        {"outputs": {"config.py": []}},
        {"outputs": {"config.py": {"sha256": 1, "size": 1}}},
        {"experiment": 5},
        {"format": 2},
    ],
)
def test_a_manifest_of_another_shape_is_refused(bundle: Path, tmp_path: Path, change: dict[str, object]) -> None:
    copy = copy_bundle(bundle, tmp_path / "copy")
    manifest = copy / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    with pytest.raises(Failure, match=r"manifest\.json (cannot be read|has format 2)") as caught:
        verify_bundle(copy)
    assert caught.value.code == BAD_BUNDLE


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b'"x"', b"\xff", b'{"format": 1', b"[" * 99_999, b'{"format": ' + b"9" * 9_999 + b"}"],
)
def test_a_manifest_that_is_no_manifest_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(data)
    with pytest.raises(Failure, match=r"manifest\.json cannot be read"):
        verify_bundle(tmp_path)


@pytest.mark.parametrize(
    "write",
    [
        lambda text: json.dumps(dict(reversed(json.loads(text).items())), indent=2, ensure_ascii=False) + "\n",
        lambda text: json.dumps(json.loads(text), indent=2, ensure_ascii=False),
        lambda text: text.replace('"format": 1,', '"format": 1,\n  "format": 1,'),
        lambda text: text.replace('"experiment"', '"\\u0065xperiment"'),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace('"experiment": "', '"experiment": "\\u00ff'),
        lambda text: text.replace('  "overrides": [],', '  "overrides": ["training.learning_rate=1"],'),
        lambda text: re.sub(r'  "manifest_digest": .*\n', "", text),
    ],
)
def test_a_manifest_that_says_the_same_in_other_bytes_is_refused(
    bundle: Path, tmp_path: Path, write: Callable[[str], str]
) -> None:
    copy = copy_bundle(bundle, tmp_path / "copy")
    manifest = copy / "manifest.json"
    edited = write(manifest.read_text())
    assert edited != manifest.read_text()
    manifest.write_bytes(edited.encode())
    with pytest.raises(Failure, match=r"edited: manifest\.json") as caught:
        verify_bundle(copy)
    assert "rebuild: cfgc build" in str(caught.value)


def test_a_file_that_became_executable_is_refused_and_one_that_others_may_write_is_not(
    bundle: Path, tmp_path: Path
) -> None:
    copy = copy_bundle(bundle, tmp_path / "copy")
    (copy / "config.py").chmod(0o664)
    verify_bundle(copy)
    (copy / "config.py").chmod(0o755)
    (copy / "launch.sh").chmod(0o644)
    with pytest.raises(Failure, match=r"mode: config\.py \(chmod -x mends it\)\n  mode: launch\.sh \(chmod \+x"):
        verify_bundle(copy)


def test_a_link_in_place_of_a_file_is_refused(bundle: Path, tmp_path: Path) -> None:
    copy = copy_bundle(bundle, tmp_path / "copy")
    (copy / "config.py").unlink()
    (copy / "config.py").symlink_to(bundle / "config.py")
    with pytest.raises(Failure, match=r"edited: config\.py"):
        verify_bundle(copy)


def test_a_directory_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is not a bundle") as caught:
        verify_bundle(tmp_path)
    assert caught.value.code == BAD_BUNDLE


def test_a_log_of_slurm_changes_nothing_and_is_not_taken_for_more(bundle: Path, tmp_path: Path) -> None:
    copy = copy_bundle(bundle, tmp_path / "copy")
    (copy / "slurm-tiny-17.out").write_text("a job's\n")
    (copy / "slurm-tiny-63_0.out").write_text("a point's\n")
    assert verify_bundle(copy) == verify_bundle(bundle)
    (copy / "slurm-tiny-18.out").symlink_to(bundle / "config.py")
    (copy / "runtime" / "slurm-tiny-17.out").write_text("")
    (copy / "slurm-tiny.py").write_text("")
    with pytest.raises(Failure) as caught:
        verify_bundle(copy)
    assert str(caught.value).count("added: ") == 3


def test_many_files_that_were_added_are_counted(bundle: Path, tmp_path: Path) -> None:
    copy = copy_bundle(bundle, tmp_path / "copy")
    (copy / "runs").mkdir()
    for number in range(25):
        (copy / "runs" / f"{number:02d}").touch()
    (copy / "config.py").write_text("X = 1\n")
    with pytest.raises(Failure) as caught:
        verify_bundle(copy)
    lines = str(caught.value).splitlines()
    assert lines[10:13] == ["  added: runs/09", "  and 15 more that were added", "  edited: config.py"]
