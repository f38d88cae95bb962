"""Real builds: killed at 200 random moments, two of one bundle at once, and on a disk that is full."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from cfgc.cli import run
from cfgc.emit.bundle import Bundle
from cfgc.load.disk import DiskReader, find_project
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.existing import is_equal
from cfgc.write.writer import write_bundle
from tests.unit.write.bundles import names

pytestmark = pytest.mark.slow

SPEC = "cfgc:examples/quickstart.toml"
CHANGES = ("training.max_steps=7", "training.max_steps=9")
FORK = multiprocessing.get_context("fork")
TRIALS = 200


def compiled(change: str) -> Bundle:
    root, _ = find_project(Path("spec.toml"))
    return compile_spec(DiskReader(root, shipped_dir("specs")), SPEC, [change])


def builder(change: str, target: Path) -> ForkProcess:
    """A build as the command line does it, in a process where the compiler is imported already."""
    process = FORK.Process(target=_build, args=(change, target))
    process.start()
    return process


def _build(change: str, target: Path) -> None:
    sys.exit(run(["build", SPEC, change, "-o", str(target)]))


def writer(bundle: Bundle, target: Path) -> ForkProcess:
    """The last part of a build alone, so that many of the random moments fall into it."""
    process = FORK.Process(target=write_bundle, args=(bundle, target))
    process.start()
    return process


def seconds(process: ForkProcess) -> float:
    """How long it takes where nobody kills it."""
    began = time.monotonic()
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - began


def unlike(bundle: Bundle, target: Path) -> list[str]:
    """Files on disk that are not the bundle's."""
    found = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if path.is_file()}
    wanted = {str(path): data for path, data in bundle.files.items()}
    return [
        name
        for name in sorted(found.keys() | wanted)
        if name not in found or found[name].read_bytes() != wanted.get(name)
    ]


def test_a_build_killed_at_200_moments_leaves_the_old_bundle_or_the_new_one(tmp_path: Path) -> None:
    target, dice = tmp_path / "b", random.Random(11)
    bundles = [compiled(change) for change in CHANGES]
    building, writing = seconds(builder(CHANGES[0], target)), seconds(writer(bundles[1], target))
    old, killed, replaced = 1, 0, 0
    for trial in range(TRIALS):
        new = 1 - old
        whole = trial % 5 == 0
        process = builder(CHANGES[new], target) if whole else writer(bundles[new], target)
        time.sleep(dice.uniform(0, building if whole else writing))
        process.kill()
        process.join()
        killed += process.exitcode != 0
        left = [number for number in (old, new) if is_equal(bundles[number], target)]
        assert len(left) == 1, (
            f"trial {trial}: {unlike(bundles[new], target)} are neither the old ones nor the new ones"
        )
        replaced += left != [old]
        (old,) = left
    assert killed > TRIALS / 4, "the moments lie in the build"
    assert 0 < replaced < TRIALS
    assert seconds(writer(bundles[1 - old], target)) > 0
    assert names(tmp_path) == ["b"], "the next build deletes what killed ones left"


def test_a_first_build_that_is_killed_leaves_nothing_or_the_bundle(tmp_path: Path) -> None:
    dice, bundle = random.Random(12), compiled(CHANGES[0])
    writing = seconds(writer(bundle, tmp_path / "measured"))
    for trial in range(20):
        target = tmp_path / str(trial)
        process = writer(bundle, target)
        time.sleep(dice.uniform(0, writing))
        process.kill()
        process.join()
        assert not target.exists() or is_equal(bundle, target)


def test_two_builds_of_a_bundle_at_once_leave_one_of_them_whole(tmp_path: Path) -> None:
    target, bundles = tmp_path / "b", [compiled(change) for change in CHANGES]
    for _ in range(5):
        processes = [builder(change, target) for change in CHANGES]
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
        assert sum(is_equal(bundle, target) for bundle in bundles) == 1
    assert names(tmp_path) == ["b"]


def test_a_full_disk_leaves_the_old_bundle(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Less and less room, so that it ends at another file each time."""
    target, (old, new) = small_disk / "b", map(compiled, CHANGES)
    write_bundle(old, target)
    size = sum(map(len, new.files.values()))
    for part in range(8):
        left = size * part // 8
        (small_disk / "filler").write_bytes(b"x" * max(0, free(small_disk) - left))
        code = run(["build", SPEC, CHANGES[1], "-o", str(target)])
        said = capsys.readouterr().err
        assert (code, "CFG704" in said, "No space left on device" in said) == (74, True, True), said
        assert is_equal(old, target)
        assert names(small_disk) == ["b", "filler"]
        (small_disk / "filler").unlink()
    assert write_bundle(new, target) == "replaced"


def free(disk: Path) -> int:
    state = os.statvfs(disk)
    return state.f_bavail * state.f_frsize
