"""A node that is gone: the job comes back without it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.slurm.bundles import task_bundle
from tests.slurm.test_coming_back import said, wait_for

if TYPE_CHECKING:
    from tests.slurm.cluster import Cluster

UNTIL_THE_POWER_CUT = """
touch "$CFGC_RUN_DIR/started-$CFGC_ATTEMPT-$RANK"
[[ $CFGC_ATTEMPT == 001 ]] || exit 0
while [[ ! -e $CFGC_RUN_DIR/cut ]]; do sleep 0.1; done
exit 76
"""


def power_cut(cluster: Cluster, node: str, job: str) -> None:
    """All that ``job`` runs on ``node`` is gone from one moment to the next, and Slurm is not told."""
    cluster.cut(node)
    there = cluster.on(node, "readlink", "/proc/self/ns/net").stdout.strip()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str((process / "ns" / "net").readlink()) != there:
                continue
            of_the_job = f"SLURM_JOB_ID={job}\0".encode() in (process / "environ").read_bytes()
            if of_the_job or (process / "comm").read_text().startswith("slurmstepd"):
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue


@pytest.mark.parametrize("lost", [0, 1], ids=["the-scripts-own", "another"])
def test_a_lost_node_costs_an_attempt_and_is_kept_away_from(lost: int, slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, UNTIL_THE_POWER_CUT, nodes=2), tmp_path / "run"
    job = slurm.submit(bundle)
    for rank in (0, 1):
        wait_for(run / f"started-001-{rank}")
    node = (run / "attempts" / "001" / "nodes").read_text().split()[lost]
    power_cut(slurm, node, job)
    (run / "cut").touch()
    wait_for(run / "started-002-1", 150)
    ended = slurm.wait(job)
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)
    assert node not in (run / "attempts" / "002" / "nodes").read_text().split()
    assert (run / "excluded_nodes").read_text() == f"{node}\n", said(run)


def test_a_chain_outlives_a_lost_node(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, UNTIL_THE_POWER_CUT, "cluster.chain=true", nodes=2), tmp_path / "run"
    job = slurm.submit(bundle)
    for rank in (0, 1):
        wait_for(run / f"started-001-{rank}")
    lost = (run / "attempts" / "001" / "nodes").read_text().split()[1]
    power_cut(slurm, lost, job)
    (run / "cut").touch()
    wait_for(run / "started-002-1", 150)
    ended = slurm.wait(str(int(job) + 1))
    assert (ended.state, ended.restarts) == ("COMPLETED", 0), said(run)
    assert lost not in (run / "attempts" / "002" / "nodes").read_text().split()
    assert slurm.queue() == ()


def test_a_start_on_a_node_that_failed_before_is_moved(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, "exit 0", "launch.max_attempts=2"), tmp_path / "run"
    run.mkdir()
    (run / "excluded_nodes").write_text("n1\n")
    ended = slurm.wait(slurm.submit(bundle))  # n1 is the first that Slurm gives
    assert (ended.state, ended.restarts, ended.nodes) == ("COMPLETED", 1, "n2"), said(run)
    assert "failed this run before: n1" in said(run)


def test_nodes_that_failed_are_used_when_no_others_are_left(slurm: Cluster, tmp_path: Path) -> None:
    bundle, run = task_bundle(tmp_path, "exit 0"), tmp_path / "run"
    run.mkdir()
    (run / "excluded_nodes").write_text("n1\nn2\nn3\nn4\n")
    ended = slurm.wait(slurm.submit(bundle))
    assert (ended.state, ended.restarts) == ("COMPLETED", 0), said(run)
    assert "too few nodes would be left" in said(run)
