"""What a spec says reaches the task through real shells as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.hostile import compile_batch, lost_in
from tests.runtime.bundles import WAIT_S, clean_environment


@pytest.mark.slow
@pytest.mark.covers("task.args", "task.env", "env.variables")
def test_every_string_reaches_a_task_through_launch_sh(tmp_path: Path) -> None:
    bundle = compile_batch(tmp_path)
    done = subprocess.run(
        [bundle / "launch.sh"],
        cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert lost_in(tmp_path) == []
