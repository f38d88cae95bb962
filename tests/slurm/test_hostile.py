"""What a spec says reaches a task through sbatch, srun and their shells as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hostile import compile_batch, lost_in
from tests.slurm.bundles import rank_logs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster


def test_every_string_reaches_a_task_through_slurm(slurm: Cluster, tmp_path: Path) -> None:
    job = slurm.wait(slurm.submit(compile_batch(tmp_path)))
    assert job.code == 0, (job, rank_logs(tmp_path / "run"))
    assert lost_in(tmp_path) == []
