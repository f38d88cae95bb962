"""A full disk is named, although the logs lie on it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import WAIT_S, Run, new_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A run whose directory is a file system of 4 MiB."""
    disk = tmp_path / "run"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount: {mounted.stderr.strip()}")
    try:
        yield new_run(tmp_path)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(run: Run, leave: int) -> None:
    """Take all room but ``leave`` bytes."""
    path, taken = run.directory / "ballast", 0
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                taken += file.write(bytes(4096))
        except OSError:
            file.truncate(taken - leave)


@pytest.mark.parametrize("leave", [0, 64 * 1024], ids=["nothing-left", "too-little-for-a-checkpoint"])
def test_a_disk_that_fills_up_while_training(run: Run, leave: int) -> None:
    process = run.start(TEST_SLOW="0.2")
    run.wait_for_step(1, process)
    fill(run, leave)
    out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 74, (out, err)
    assert f"No space left on device: {run.directory}" in err
    assert "exit code 74: reading or writing failed" in err
    assert "Traceback" not in out + err

    (run.directory / "ballast").unlink()
    assert run.to_end().code == 0, run.logs()


def test_a_disk_that_is_full_from_the_start(run: Run) -> None:
    fill(run, 0)
    outcome = run.to_end()
    assert outcome.code == 73, outcome
    assert f"{run.directory} has 0 B free, and the first two checkpoints take 2 × " in outcome.err
    assert "Traceback" not in outcome.out + outcome.err
