"""What people type in a bundle's own directory, and what a submission finds before it is queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cfgc_runtime.manifest import verify_bundle
from tests.slurm.bundles import task_bundle
from tests.slurm.test_submitting import cfgc, number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

POINTS = ('sweep.method="grid"', 'sweep.parameters.task.args=[["1"], ["2"]]', "launch.run_dir=runs/all")


def test_plain_sbatch_in_the_bundle_leaves_a_log_there_that_hinders_nothing(slurm: Cluster, tmp_path: Path) -> None:
    (tmp_path / "cfgc.toml").touch()
    bundle = task_bundle(tmp_path, "pwd", "launch.run_dir=runs/one")
    job = slurm.wait(slurm.submit(bundle, cwd=bundle))
    log = bundle / f"slurm-{tmp_path.name}-{job.id}.out"
    assert job.code == 0, log.read_text()
    assert f"{bundle} is a bundle, which nothing is written into: starting in {tmp_path}\n" in log.read_text()
    assert (tmp_path / "runs/one/finished.json").exists()
    verify_bundle(bundle)
    assert cfgc(slurm, tmp_path, "submit", bundle, "--run-dir", "again", "--test-only").returncode == 0
    task_bundle(tmp_path, "echo new", "launch.run_dir=runs/one")
    assert log.exists(), "a build keeps it"


def test_a_sweep_is_started_in_its_bundle_in_each_way(slurm: Cluster, tmp_path: Path) -> None:
    bundle = task_bundle(tmp_path, 'echo "$1"', *POINTS)
    (tmp_path / "cfgc.toml").touch()
    first = slurm.submit(bundle, "--array=1", cwd=bundle)
    assert slurm.wait(f"{first}_1").code == 0
    slurm.run("./submit.sh", "--", "--wait", cwd=bundle)
    slurm.run("./launch.sh", "--points", "all", cwd=bundle)
    points = tmp_path / "runs/all/points"
    assert sorted(path.parent.name for path in points.glob("*/finished.json")) == ["0000", "0001"]
    assert [len(list(path.glob("attempts/0*"))) for path in sorted(points.iterdir())] == [1, 1]
    verify_bundle(bundle)
    before = slurm.run("./submit.sh", cwd=bundle)
    assert (before.stdout, "all of these points have already finished (0-1); nothing to do" in before.stderr) == (
        "",
        True,
    )
    task_bundle(tmp_path, 'echo "$1"', *(word.replace('"2"', '"3"') for word in POINTS))
    refused = slurm.run("./submit.sh", cwd=bundle, check=False)
    assert (refused.returncode, refused.stdout, "belongs to another sweep" in refused.stderr) == (65, "", True)


def test_what_would_end_at_once_is_not_queued(slurm: Cluster, tmp_path: Path) -> None:
    python = "launch.python=python"
    bundle = task_bundle(tmp_path, "true", python)
    assert slurm.wait(number(slurm.run(bundle / "submit.sh", cwd=tmp_path))).code == 0
    done = cfgc(slurm, tmp_path, "submit", bundle)
    assert (done.stdout, "is already finished; nothing to do" in done.stderr) == ("", True)
    task_bundle(tmp_path, "echo other", python)
    done = cfgc(slurm, tmp_path, "submit", bundle, check=False)
    assert (done.returncode, done.stdout, "trains with other values" in done.stderr) == (65, "", True)
    assert slurm.queue() == ()
    # Where the login node has no Python that will do, the job says it.
    poor = tmp_path / "poor"
    poor.mkdir()
    for name in ("python", "python3"):
        (poor / name).write_text("#!/bin/bash\nexit 1\n")
        (poor / name).chmod(0o755)
    job = number(
        slurm.run(
            bundle / "submit.sh",
            "--",
            "--hold",
            cwd=tmp_path,
            PYTHON="nowhere",
            PATH=f"{poor}:{slurm.environment['PATH']}",
        )
    )
    slurm.cancel(job)


def test_part_of_a_nodes_memory_is_not_all_of_it(slurm: Cluster, tmp_path: Path) -> None:
    bundle = task_bundle(tmp_path, "true", "cluster.memory_per_node=0")
    job = slurm.wait(number(slurm.run(bundle / "submit.sh", "--", "--mem=50M", cwd=tmp_path)))
    said = (tmp_path / f"slurm-{tmp_path.name}-{job.id}.out").read_text()
    assert (job.code, "the job has 50 MiB of memory on a node, the plan is for all of it" in said) == (78, True)
    assert slurm.wait(number(slurm.run(bundle / "submit.sh", cwd=tmp_path))).code == 0


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("apptainer", "there is no apptainer on n"),
        ("pyxis", "the container needs Slurm's plugin pyxis"),
    ],
)
def test_a_container_without_what_runs_it_is_said(kind: str, sentence: str, slurm: Cluster, tmp_path: Path) -> None:
    image = tmp_path / "image.sqsh"
    image.touch()
    container = (f"cluster.container.kind={kind}", f"cluster.container.image={image}")
    job = slurm.wait(slurm.submit(task_bundle(tmp_path, "true", *container)))
    said = (tmp_path / f"slurm-{tmp_path.name}-{job.id}.out").read_text()
    assert (job.code, sentence in said) == (64, True), said
