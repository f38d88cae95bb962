"""PLAN.md says what the profile of a cluster gives a job."""

from __future__ import annotations

import pytest

from cfgc.emit.cluster_md import cluster_section
from tests.unit.emit.test_every_key_arrives import plan_of


@pytest.mark.covers("cluster.name", "cluster.container.mount_home")
def test_what_ranks_find_on_the_cluster_is_said() -> None:
    mounts = '[{ source = { env = "DATA" } }, { source = "/in", target = "/out", read_only = true }]'
    plan = plan_of(
        'cluster.name="Alpine"',
        'cluster.partition="gpu"',
        'cluster.container.kind="pyxis"',
        'cluster.container.image="/shared/train.sqsh"',
        "cluster.container.mount_home=true",
        f"cluster.container.mounts={mounts}",
        "cluster.limits.nofile=65536",
        'cluster.limits.memlock="unlimited"',
        'cluster.limits.core="none"',
        'cluster.scratch={ env = "SLURM_TMPDIR" }',
        'cluster.log_dir="logs"',
    )
    assert cluster_section(plan) == [
        "## On the cluster · Alpine",
        "",
        "| what | value |",
        "| --- | --- |",
        "| asked of Slurm | `--mem=0`, `--partition=gpu` |",
        "| container | pyxis with `/shared/train.sqsh`, and the home directory |",
        "| image | by its name, which may mean another one later; `name@sha256:…` means one only |",
        "| mounted | `$DATA` |",
        "| mounted | `/in` as `/out`, read-only |",
        "| temporary files | `$SLURM_TMPDIR`, as `TMPDIR` |",
        "| limits | open files 65,536, locked memory unlimited, core files none |",
        "| log of the job | `./logs`, through `submit.sh` |",
    ]


def test_a_cluster_of_which_nothing_is_said_has_no_section() -> None:
    assert cluster_section(plan_of()) == []
