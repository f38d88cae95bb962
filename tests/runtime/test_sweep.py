"""Sweeps on this machine, started as a user starts them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from tests.runtime.bundles import HERE, clean_environment, write_corpus

TASK = """
[experiment]
name = "three"

[overlays]
hardware = "cpu"

[task]
inline = '''
#!/bin/bash
echo "$CFGC_POINT: $RATE" >said
[[ $CFGC_POINT != 1 || -e mended ]]
'''
working_directory = { env = "WORK", path = "." }

[sweep]
method = "list"
points = [{ task.env.RATE = "0.1" }, { task.env.RATE = "0.2" }, { task.env.RATE = "0.3", experiment.seed = 5 }]
"""


def launch(bundle: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [bundle / "launch.sh", *words],
        cwd=cwd,
        env=clean_environment(cwd) | {"WORK": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )


def listed(run: Path) -> list[tuple[int, str, int]]:
    """Number, state and attempts of each point, as ``cfgc sweep`` has them."""
    command = [sys.executable, "-m", "cfgc", "sweep", str(run), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [(p["point"], p["state"], p["run"]["attempts"]) for p in json.loads(done.stdout)]


@pytest.mark.slow
@pytest.mark.covers("sweep.points", "sweep.method")
def test_points_run_one_after_the_other_and_one_that_failed_runs_again(tmp_path: Path) -> None:
    reader = MemoryReader({"spec.toml": TASK}, DiskReader(tmp_path, shipped_dir("specs")))
    write_bundle(compile_spec(reader, "spec.toml"), tmp_path / "bundle")
    run = tmp_path / "run"
    assert launch(tmp_path / "bundle", tmp_path, "--run-dir", str(run), "--points", "0,0-1,1").returncode == 1
    assert (tmp_path / "said").read_text() == "1: 0.2\n"
    assert listed(run) == [(0, "finished", 1), (1, "failed", 1), (2, "new", 0)]
    (tmp_path / "mended").touch()
    done = launch(tmp_path / "bundle", tmp_path, "--run-dir", str(run), "--point", "1")
    assert done.returncode == 0, done.stderr
    assert listed(run) == [(0, "finished", 1), (1, "finished", 2), (2, "new", 0)]


@pytest.mark.slow
@pytest.mark.covers("sweep.parameters")
def test_a_point_trains_as_its_overrides_alone_would(tmp_path: Path) -> None:
    """The curve of point 1, bit for bit, is that of a bundle which was built from the point's overrides."""
    write_corpus(tmp_path / "text")
    sweep = ('sweep.method="zip"', "sweep.parameters.training.learning_rate=[2e-3, 4e-3]")
    shape = ("launch.gpus_per_node=1", "training.max_steps=6", "tracking.log_every_steps=1", *SMALL)
    for name, overrides in (("swept", sweep), ("single", ("training.learning_rate=4e-3",))):
        bundle = compile_spec(DiskReader(HERE, shipped_dir("specs")), "tiny.toml", (*shape, *overrides))
        write_bundle(bundle, tmp_path / name)
    swept, single = tmp_path / "runs" / "swept", tmp_path / "runs" / "single"
    for name, words in (("swept", ("--point", "1")), ("single", ())):
        done = launch(tmp_path / name, tmp_path, "--run-dir", str(tmp_path / "runs" / name), *words)
        assert done.returncode == 0, done.stderr
    assert losses(swept / "points" / "0001") == losses(single)
    assert len(losses(single)) == 6
    assert not (swept / "points" / "0000").exists()


SMALL = ("training.warmup_steps=0", "checkpoint.every_steps=0", "evaluation.every_steps=0")


def losses(run: Path) -> list[tuple[int, float, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"], line["lr"]) for line in lines if "lr" in line]
