"""Many points: 2,000 of the 10,000 that a sweep may have, since all take minutes where tests run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.sweep.specs import TRAINING

COUNT = 2_000
MOST_MEMORY = 300 << 20
"""Bytes that any one process of the compiler may take."""

SWEEP = f"""
[sweep]
method = "random"
max_points = {COUNT}

[sweep.parameters]
training.learning_rate = {{ low = 2e-4, high = 1e-2, scale = "log" }}
training.warmup_steps = {{ low = 0, high = 900, integer = true }}
zero = ["1", "2", "3"]
"""


MEASURED = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:])\n"
MEASURED += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10); sys.exit(code)"
"""Runs a command from a small process: what a large one starts counts as large as that, from before its exec."""


def built(directory: Path) -> int:
    """Build spec.toml as ``directory``/bundle; the most memory that a process of it had, in bytes."""
    command = [sys.executable, "-m", "cfgc", "build", f"{directory}/spec.toml", "-o", f"{directory}/bundle"]
    done = subprocess.run([sys.executable, "-c", MEASURED, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.slow
def test_thousands_of_points_are_compiled_in_bounded_memory(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(TRAINING + SWEEP)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("text")
    assert built(tmp_path) < MOST_MEMORY
    digests, overrides = set(), set()
    with (tmp_path / "bundle" / "points.jsonl").open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            point = json.loads(line)
            assert (point["index"], point["name"]) == (number, f"{number:04d}")
            digests.add(point["plan_digest"])
            overrides.add(tuple(point["overrides"]))
    assert len(digests) == len(overrides) == number + 1 == COUNT
    assert (tmp_path / "bundle" / "points.jsonl").stat().st_size < 4 << 20
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_bytes())
    assert "points.jsonl" in manifest["outputs"]
    script = (tmp_path / "bundle" / "submit.sh").read_text()
    assert script.count("\nsubmit_part ") == 2, "Slurm's default takes 1,001 tasks an array"
