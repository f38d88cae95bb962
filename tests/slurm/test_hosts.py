"""Several machines without a scheduler: launch.sh --hosts on each, on hosts with networks of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import WAIT_S, Run, new_run, write_corpus
from tests.slurm.bundles import RANKS_PATH, task_bundle, training_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.slurm.cluster import Cluster

HOSTS = "n1,n2"


class Machines:
    """A bundle started by hand on machines that share ``folder``."""

    def __init__(self, slurm: Cluster, bundle: Path, folder: Path) -> None:
        self.slurm, self.bundle, self.folder = slurm, bundle, folder

    def start(self, host: str, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.slurm.inside(host), "-n", host, self.bundle / "launch.sh", *words],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHON": sys.executable,
                "HOME": str(self.folder),
                "PYTHONPATH": RANKS_PATH,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, **words: str) -> Mapping[str, tuple[int, str]]:
        """Exit code and stderr by host."""
        started = {host: self.start(host, *said.split()) for host, said in words.items()}
        said = {host: process.communicate(timeout=WAIT_S)[1] for host, process in started.items()}
        return {host: (process.returncode, said[host]) for host, process in started.items()}


def test_each_machine_finds_its_place_by_its_name(slurm: Cluster, tmp_path: Path) -> None:
    script = f'echo "$RANK $LOCAL_RANK $WORLD_SIZE $(hostname)" >>"{tmp_path}/said"; exit $((RANK == 3 ? CODE : 0))'
    bundle = task_bundle(tmp_path, f"CODE=$(<{tmp_path}/code)\n{script}", nodes=2, ranks=2)
    machines = Machines(slurm, bundle, tmp_path)
    for code in (7, 0):  # the second start is a new attempt, which does not wait for the first one's end
        (tmp_path / "said").unlink(missing_ok=True)
        (tmp_path / "code").write_text(f"{code}\n")
        ended = machines.run(n2=f"--hosts {HOSTS}", n1=f"--hosts={HOSTS}")
        assert {host: end[0] for host, end in ended.items()} == {"n1": code, "n2": code}, ended
        said = sorted((tmp_path / "said").read_text().splitlines())
        assert said == ["0 0 4 n1", "1 1 4 n1", "2 0 4 n2", "3 1 4 n2"]
    assert (tmp_path / "run" / "attempts" / "002" / "nodes").read_text() == "n1\nn2\n"


def test_the_order_is_that_of_the_list_or_of_the_rank_that_is_said(slurm: Cluster, tmp_path: Path) -> None:
    script = f'echo "$RANK $(hostname)" >>"{tmp_path}/said"'
    bundle = task_bundle(tmp_path, script, nodes=2)
    (tmp_path / "hosts").write_text("# first node first\n10.213.77.12\n\n10.213.77.11\n")
    machines = Machines(slurm, bundle, tmp_path)
    file = f"--hosts-file {tmp_path / 'hosts'} --node-rank"
    ended = machines.run(n1=f"{file} 1", n2=f"{file} 0")
    assert [code for code, _ in ended.values()] == [0, 0], ended
    assert sorted((tmp_path / "said").read_text().splitlines()) == ["0 n2", "1 n1"]


def test_what_does_not_fit_is_refused(slurm: Cluster, tmp_path: Path) -> None:
    machines = Machines(slurm, task_bundle(tmp_path, "exit 0", nodes=2), tmp_path)
    refusals = {
        "": "or on each of 2 machines with the same list",
        "--hosts": "--hosts needs a value",
        "--hosts n1": "hosts named: 1 (n1); the plan is for 2 nodes",
        "--hosts n1,n2,n4": "hosts named: 3",
        "--hosts n1,n2": "the hosts are n1, n2, and n3 is not one of them; say which this is: --node-rank K",
        "--hosts n3,n3.cluster": "n3 is there 2 times",
        "--hosts n1,n2 --node-rank 2": "--node-rank 2: the nodes of this plan are 0 to 1",
        "--hosts-file nowhere": "/nowhere cannot be read",
    }
    for words, sentence in refusals.items():
        ((code, said),) = machines.run(n3=words).values()
        assert (code, sentence in said) == (64, True), said
    assert not (tmp_path / "run").exists()


def test_a_machine_that_waits_for_the_first_can_be_stopped(slurm: Cluster, tmp_path: Path) -> None:
    process = Machines(slurm, task_bundle(tmp_path, "exit 0", nodes=2), tmp_path).start("n2", "--hosts", HOSTS)
    assert process.stderr
    assert "waiting for n1: start the same command there" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(WAIT_S) == 75


@pytest.mark.covers("launch.nodes")
def test_two_machines_train_as_one(slurm: Cluster, tmp_path: Path) -> None:
    """Two nodes of two ranks have the losses of four ranks on one machine, also when they were stopped in between."""
    local = new_run(tmp_path / "local", "launch.gpus_per_node=4")
    write_corpus(tmp_path / "text")
    bundle = training_bundle(tmp_path, nodes=2)
    machines, run = Machines(slurm, bundle, tmp_path), Run(bundle, tmp_path)
    started = [machines.start(host, "--hosts", HOSTS) for host in ("n1", "n2")]
    deadline = time.monotonic() + WAIT_S
    while not (run.directory / "metrics.jsonl").exists() or max(run.steps(), default=0) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(started[1].pid, signal.SIGINT)  # on the second machine only
    said = [process.communicate(timeout=WAIT_S) for process in started]
    assert [process.returncode for process in started] == [75, 75], said
    ended = machines.run(n1=f"--hosts {HOSTS}", n2=f"--hosts {HOSTS}")
    assert [code for code, _ in ended.values()] == [0, 0], ended
    outcome = local.to_end()
    assert outcome.code == 0, outcome
    assert run.metrics() == local.metrics()
