"""One start at a time, whatever became of the one before."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.runtime.bundles import WAIT_S, Run, clean_environment, free_port, new_run

pytestmark = pytest.mark.slow


def supervisor(process: subprocess.Popen[str]) -> int:
    """Process id of the supervisor that launch.sh started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    [found] = [int(pid) for pid in children if b"\0node\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return found


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + WAIT_S
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "the old ranks do not end"
        time.sleep(0.05)


def test_a_second_start_before_the_first_has_ranks_is_refused_without_a_trace(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    first = run.start()
    deadline = time.monotonic() + WAIT_S
    while not (run.directory / "attempts" / "001" / "logs" / "node-0.log").exists():  # torchrun starts, ranks do not
        assert time.monotonic() < deadline, first.poll()
        time.sleep(0.005)
    assert run.pids() == {}

    second = run.to_end()
    assert second.code == 65, second
    assert "is in use: this run was already started" in second.err
    assert [path.name for path in (run.directory / "attempts").iterdir()] == ["001"]

    first.communicate(timeout=WAIT_S)
    assert first.returncode == 0, run.logs()
    assert run.steps() == list(range(1, 13))


def test_ranks_that_outlive_their_supervisor_keep_the_run_directory(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    first = run.start(TEST_SLOW="1")
    run.wait_for_step(1, first)
    old, first_rank = list(run.pids().values()), run.pids()[0]
    os.kill(supervisor(first), signal.SIGKILL)
    assert first.wait(WAIT_S) == 137

    second = run.to_end()
    assert second.code == 65, second
    assert "or its ranks are still saving; wait until they have ended, or have it save and stop: " in second.err
    assert f"stop: kill -USR2 {first_rank} (rank 0, on {socket.gethostname()})" in second.err
    assert [path.name for path in (run.directory / "attempts").iterdir()] == ["001"]

    wait_until_gone(old)
    done = start_when_free(run)
    assert "resumed from step" in done, run.logs()
    assert run.steps() == list(range(1, 13))


def start_when_free(run: Run) -> str:
    """What the first start that is not refused shows; the old torchrun may need a moment after its ranks."""
    for _ in range(50):
        outcome = run.to_end()
        if outcome.code != 65:
            assert outcome.code == 0, (outcome, run.logs())
            return outcome.out
        time.sleep(0.5)
    raise AssertionError("the run directory stays in use")


def test_two_nodes_train_in_the_attempt_that_was_opened_once(tmp_path: Path) -> None:
    run = new_run(tmp_path, "launch.nodes=2", "launch.gpus_per_node=1")
    environment = clean_environment(tmp_path) | {"DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    runtime = [sys.executable, "-B", str(run.bundle / "runtime")]
    subprocess.run([*runtime, "stage", "--run-dir", str(run.directory)], cwd=tmp_path, env=environment, check=True)
    port, staged = free_port(), str(run.directory / "bundle" / "runtime")
    nodes = []
    for node in ("0", "1"):
        torchrun = [sys.executable, "-B", "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
        torchrun += [f"--node-rank={node}", "--master-addr=127.0.0.1", f"--master-port={port}", staged, "rank"]
        command = [sys.executable, "-B", staged, "node", "--run-dir", str(run.directory), "--node-rank", node, "--"]
        nodes.append(subprocess.Popen([*command, *torchrun], cwd=tmp_path, env=environment))
    assert [node.wait(WAIT_S) for node in nodes] == [0, 0], run.logs()
    assert sorted(run.pids()) == [0, 1]
    assert run.steps() == list(range(1, 13))
