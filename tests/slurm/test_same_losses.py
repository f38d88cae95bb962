"""Training on several nodes, under both launchers: the losses are those of the same ranks on one machine."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.runtime.bundles import WAIT_S, Run, clean_environment, write_corpus
from tests.slurm.bundles import RANKS_PATH, training_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

STEPS = ("training.max_steps=4", "training.warmup_steps=1", "checkpoint.every_steps=0", "training.global_batch_size=16")
QUIET = ("evaluation.every_steps=0", "evaluation.at_end=false", "launch.timeout=5min")


def metrics(folder: Path) -> list[dict[str, Any]]:
    """Lines of training steps, without what a clock decides."""
    return [line for line in Run(folder / "bundle", folder).metrics() if "loss" in line]


def place(folder: Path) -> Path:
    folder.mkdir()
    write_corpus(folder / "text")
    return folder


@pytest.mark.covers("launch.launcher", "launch.nodes")
@pytest.mark.parametrize(("nodes", "stage"), [(2, 2), (4, 3)])
def test_losses_are_those_of_one_machine(nodes: int, stage: int, slurm: Cluster, tmp_path: Path) -> None:
    options = (f"zero={stage}", *STEPS, *QUIET)
    alone = place(tmp_path / "alone")
    bundle = training_bundle(alone, *options, ranks=2 * nodes)
    environment = clean_environment(alone) | {"PATH": os.environ["PATH"]}
    subprocess.run([bundle / "launch.sh"], cwd=alone, env=environment, check=True, timeout=WAIT_S, capture_output=True)
    expected = metrics(alone)
    assert [line["step"] for line in expected] == [1, 2, 3, 4]
    for launcher in ("torchrun", "srun"):
        folder = place(tmp_path / launcher)
        bundle = training_bundle(folder, *options, f"launch.launcher={launcher}", nodes=nodes, ranks=2)
        job = slurm.wait(slurm.submit(bundle, PYTHONPATH=RANKS_PATH))
        assert job.code == 0, (folder / f"slurm-tiny-{job.id}.out").read_text()
        assert metrics(folder) == expected
