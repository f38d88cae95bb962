"""A training that is interrupted on two nodes: it goes on, and its curve is that of a run that nothing disturbed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.runtime.bundles import HERE, WAIT_S, clean_environment, write_corpus
from tests.slurm.bundles import training_bundle
from tests.slurm.test_coming_back import said

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

STEPS = 60
SAVE_S = 45
OPTIONS = (
    *(f"training.max_steps={STEPS}", "evaluation.every_steps=20", "checkpoint.every_steps=10"),
    *("launch.timeout=10min", "tracking.log_level=info"),
)


def place(folder: Path) -> Path:
    """A directory to train in."""
    folder.mkdir()
    write_corpus(folder / "text")
    return folder


def curve(run: Path) -> list[dict[str, Any]]:
    """metrics.jsonl without what a clock or another start changes."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    names = ("step", "loss", "lr", "grad_norm", "eval_loss", "tokens")
    return [{name: line[name] for name in names if name in line} for line in lines if "step" in line]


def step_of(run: Path) -> int:
    return max((line["step"] for line in curve(run)), default=0) if (run / "metrics.jsonl").exists() else 0


def wait_for_step(run: Path, step: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while step_of(run) < step:
        assert time.monotonic() < deadline, said(run)
        time.sleep(0.1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The curve of the same two ranks on one machine."""
    folder = place(tmp_path_factory.mktemp("alone") / "here")
    bundle = training_bundle(folder, *OPTIONS)
    subprocess.run(
        [bundle / "launch.sh"],
        cwd=folder,
        env=clean_environment(folder),
        check=True,
        timeout=WAIT_S,
        capture_output=True,
    )
    found = curve(folder / "run")
    assert step_of(folder / "run") == STEPS
    return found


SLOW_AT_FIRST = """
import os, runpy
if os.environ.get("CFGC_ATTEMPT", "001") != "001":
    for name in ("TEST_SLOW", "TEST_SAVE"):
        os.environ.pop(name, None)
runpy.run_path({site!r})
"""


def start(slurm: Cluster, folder: Path, *overrides: str, slow_s: float, save_s: float = 0) -> str:
    """Submit the same run on two nodes, with passes and saves that take so much more in the first attempt."""
    bundle = training_bundle(place(folder), *OPTIONS, *overrides, nodes=2, ranks=1)
    site = str(HERE / "site" / "sitecustomize.py")
    (folder / "sitecustomize.py").write_text(SLOW_AT_FIRST.format(site=site))
    return slurm.submit(bundle, PYTHONPATH=str(folder), TEST_SLOW=str(slow_s), TEST_SAVE=str(save_s))


def test_a_request_that_reaches_one_rank_only_stops_all_of_them(
    slurm: Cluster, tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    run = tmp_path / "here" / "run"
    job = start(slurm, run.parent, slow_s=0.05)
    wait_for_step(run, 15)
    pid = int((run / "attempts" / "001" / "pids" / "rank-1").read_text().split()[1])
    os.kill(pid, signal.SIGUSR2)
    ended = slurm.wait(job)
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)
    assert "saved; queued again, attempt 2 of 5, from step" in said(run)
    assert curve(run) == undisturbed


def test_a_time_limit_costs_nothing_with_a_save_longer_than_kill_wait(
    slurm: Cluster, tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    """The lead is what the compiler makes of the times; a signal that came with the limit would be too late."""
    run = tmp_path / "here" / "run"
    times = ("launch.time_limit=4min", "launch.step_time=1s", f"launch.save_time={SAVE_S}s")
    # Two backward passes a step: longer than the 150 s after which the signal comes at the latest. Nothing else saves.
    job = start(slurm, run.parent, *times, f"checkpoint.every_steps={STEPS}", slow_s=1.3, save_s=SAVE_S)
    assert "#SBATCH --signal=B:USR2@120" in (run.parent / "bundle" / "job.sbatch").read_text()
    assert int(slurm.run("scontrol", "show", "config").stdout.partition("KillWait")[2].split()[1]) < SAVE_S
    ended = slurm.wait(job, seconds=2 * WAIT_S)
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)
    saved = re.search(r"\nsaved step (\d+) \(.* in (\d+)", said(run))
    assert saved, said(run)
    assert int(saved[2]) >= SAVE_S
    assert f"saved; queued again, attempt 2 of 5, from step {saved[1]}\n" in said(run)
    assert curve(run) == undisturbed


@pytest.mark.parametrize(
    ("place", "sentence"),
    [(0, "machines that failed the attempt before: {} lost\n"), (1, "machines that failed this attempt: {} lost\n")],
    ids=["the-scripts-own", "another"],
)
def test_a_node_whose_link_is_cut_costs_the_steps_since_a_checkpoint(
    place: int, sentence: str, slurm: Cluster, tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    """The rank that is left waits for the other one until Slurm kills it, and says nothing; nor is the bundle there."""
    run = tmp_path / "here" / "run"
    job = start(slurm, run.parent, slow_s=0.05)
    wait_for_step(run, 15)
    lost = (run / "attempts" / "001" / "nodes").read_text().split()[place]
    slurm.cut(lost)
    (run.parent / "bundle").rename(run.parent / "moved")
    ended = slurm.wait(job)
    assert sentence.format(lost) in said(run)
    assert (run / "excluded_nodes").read_text() == f"{lost}\n"
    assert ended.fields["ExcNodeList"] == (lost if place else "(null)")  # the second start ran already, on others
    assert "can't open" not in said(run)
    assert (ended.state, ended.restarts) == ("COMPLETED", 1), said(run)
    assert lost not in (run / "attempts" / "002" / "nodes").read_text().split()
    assert curve(run) == undisturbed
