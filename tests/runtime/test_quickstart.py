"""The bundle of the example that everyone starts with trains without the compiler and without its spec."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from tests.runtime.bundles import WAIT_S, clean_environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def loss_lines(metrics: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in metrics.read_text().splitlines()] if metrics.exists() else []
    return [line for line in lines if "loss" in line]


def test_it_trains_far_from_where_it_was_built(tmp_path: Path) -> None:
    project, moved, elsewhere = tmp_path / "project", tmp_path / "moved", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    shutil.copy(shipped_dir("specs") / "examples" / "quickstart.toml", project / "mine.toml")
    write_bundle(compile_spec(DiskReader(project, shipped_dir("specs")), "mine.toml", ()), project / "out")
    shutil.copytree(project / "out", moved)
    shutil.rmtree(project)

    process = subprocess.Popen(
        [str(moved / "launch.sh")],
        cwd=elsewhere,
        env=clean_environment(tmp_path),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run = elsewhere / "runs" / "quickstart"
    deadline = time.monotonic() + WAIT_S
    while len(loss_lines(run / "metrics.jsonl")) < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no metrics"
        time.sleep(0.1)
    process.send_signal(signal.SIGUSR2)
    out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 75, (out, err)
    first, *_, last = loss_lines(run / "metrics.jsonl")
    assert 5.0 < first["loss"] < 6.5  # 257 tokens, nothing learned: ln 257 = 5.55
    assert last["loss"] < first["loss"]
    assert [path.name for path in (run / "checkpoints").glob("step-*")] == [f"step-{saved_step(out):08d}"]


def saved_step(out: str) -> int:
    [line] = [line for line in out.splitlines() if line.startswith("saved step ")]
    return int(line.split()[2])
