"""One cluster for each worker of pytest, and each test finds it as if it were new."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.slurm.cluster import SITE, CannotHaveSlurm, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
PREFIX = "cfgc-slurm-"
OWNER = "owner"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is here is slow, and runs by itself: `make slurm`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("slurm")
            item.add_marker("slow")


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[Cluster]:
    """A cluster of four nodes with two pretended GPUs each; `slurm` is what a test wants."""
    end_orphans()
    # Not below pytest's own directory: the path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        (Path(name) / OWNER).write_text(str(os.getpid()))
        try:
            cluster = Cluster.start(Path(name))
        except CannotHaveSlurm as reason:
            pytest.skip(f"no Slurm on this machine: {reason}")
        try:
            yield cluster
        finally:
            cluster.stop()


def end_orphans() -> None:
    """Clusters whose pytest was killed and could not stop them."""
    for owner in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError, ValueError):  # another worker was quicker
            if not Path(f"/proc/{int(owner.read_text())}").exists():
                subprocess.run([SITE / "down", owner.parent], check=False)
                shutil.rmtree(owner.parent, ignore_errors=True)


@pytest.fixture
def slurm(slurm_cluster: Cluster) -> Iterator[Cluster]:
    """The worker's cluster, idle; what the test leaves behind ends with it."""
    yield slurm_cluster
    slurm_cluster.tidy()
