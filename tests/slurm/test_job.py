"""job.sbatch on a real cluster: how it ends, and who runs where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.slurm.bundles import task_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster


@pytest.mark.parametrize(("code", "state"), [(0, "COMPLETED"), (42, "FAILED")])
def test_a_job_ends_with_its_tasks_code(code: int, state: str, slurm: Cluster, tmp_path: Path) -> None:
    job = slurm.wait(slurm.submit(task_bundle(tmp_path, f"exit {code}")))
    assert (job.state, job.code) == (state, code), job.fields
    assert [line["State"] for line in slurm.completed(job.id)] == [state]


def test_each_rank_is_told_its_place(slurm: Cluster, tmp_path: Path) -> None:
    script = f'echo "$RANK $LOCAL_RANK $WORLD_SIZE $(hostname)" >"{tmp_path}/rank-$RANK"'
    job = slurm.wait(slurm.submit(task_bundle(tmp_path, script, nodes=2, ranks=2)))
    assert job.state == "COMPLETED", ((tmp_path / f"slurm-{job.fields['JobName']}-{job.id}.out").read_text(), job)
    first, second = slurm.run("scontrol", "show", "hostnames", job.nodes).stdout.split()
    said = [(tmp_path / f"rank-{rank}").read_text().strip() for rank in range(4)]
    assert said == [f"0 0 4 {first}", f"1 1 4 {first}", f"2 0 4 {second}", f"3 1 4 {second}"]


def test_a_node_that_is_cut_off_is_noticed_and_comes_back(slurm: Cluster) -> None:
    assert slurm.on("n2", "hostname").stdout == "n2\n"
    slurm.cut("n2")
    assert slurm.on("n2", "timeout", "1", "bash", "-c", "</dev/tcp/ctl/6817", check=False).returncode
    slurm.restore("n2")
    assert slurm.on("n2", "timeout", "5", "bash", "-c", "</dev/tcp/ctl/6817", check=False).returncode == 0
