"""The scripts that start the cluster."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.slurm.cluster import SITE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster


def test_shellcheck_has_nothing_to_say(repository: Path) -> None:
    done = subprocess.run(
        ["shellcheck", "-x", *SITE.iterdir()], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""


def test_a_directory_holds_one_cluster(slurm: Cluster) -> None:
    done = subprocess.run([SITE / "up", slurm.directory], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "holds a cluster already" in done.stderr
    assert slurm.run("sinfo", "-h", "-p", "low", "-o", "%D %T").stdout == "4 idle\n"


def test_without_root_the_reason_is_said(tmp_path: Path) -> None:
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", SITE / "up", tmp_path / "x"],
        env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (77, "slurm: only root can make hosts out of namespaces\n")
