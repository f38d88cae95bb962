"""A sweep as a job array: each point ends as it ends, and one that failed is run again alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.slurm.bundles import task_bundle

if TYPE_CHECKING:
    from tests.slurm.cluster import Cluster

POINTS = 200
ENDS = {13: 7, 77: 3, 150: 137}
"""How points fail, by their number."""

SCRIPT = """
[[ -e $CFGC_RUN_DIR/mended ]] && exit 0
case $1 in
  13) exit 7 ;;
  77) exit 3 ;;
  150) kill -KILL $$ ;;
esac
echo "point $CFGC_POINT has $1"
"""
SOON_S = 900


def swept(directory: Path, script: str, values: list[str], *overrides: str) -> Path:
    """The bundle of a sweep whose points are handed one of ``values`` each."""
    parameters = json.dumps([[value] for value in values])
    sweep = ('sweep.method="grid"', f"sweep.parameters.task.args={parameters}", "launch.launcher=srun")
    return task_bundle(directory, script, *sweep, *overrides)


def listed(run: Path) -> dict[int, dict[str, Any]]:
    """What ``cfgc sweep`` says of each point."""
    command = [sys.executable, "-m", "cfgc", "sweep", str(run), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {point["point"]: point for point in json.loads(done.stdout)}


def wait_for_all(slurm: Cluster, job: str) -> None:
    """Until no task of the array is left."""
    deadline = time.monotonic() + SOON_S
    while slurm.run("squeue", "--noheader", f"--jobs={job}", check=False).stdout.strip():
        assert time.monotonic() < deadline, slurm.run("squeue").stdout
        time.sleep(1.0)


def codes(slurm: Cluster, name: str) -> dict[str, int]:
    """How many jobs of that name ended with each ``State|ExitCode``, as Slurm's own record has it."""
    told = slurm.run("sacct", "-c", "-n", "-P", "--format=JobName,State,ExitCode").stdout.splitlines()
    ends = [line.partition("|")[2] for line in told if line.startswith(f"{name}|")]
    return {end: ends.count(end) for end in set(ends)}


@pytest.mark.covers("sweep.max_parallel")
def test_two_hundred_points_end_each_with_its_own_code(slurm: Cluster, tmp_path: Path) -> None:
    run = tmp_path / "run"
    bundle = swept(tmp_path, SCRIPT, [str(number) for number in range(POINTS)], "sweep.max_parallel=12")
    job = slurm.submit(bundle)
    wait_for_all(slurm, job)
    ends = {f"FAILED|{code}:0": 1 for code in ENDS.values()}
    assert codes(slurm, tmp_path.name) == {"COMPLETED|0:0": POINTS - len(ENDS), **ends}
    points = listed(run)
    assert {index: point["run"]["code"] for index, point in points.items() if point["state"] != "finished"} == ENDS
    assert len(points) == POINTS
    failed = [points[index]["state"] for index in ENDS]
    assert failed == ["failed"] * 3
    assert len(list((run / "points").iterdir())) == POINTS
    assert sorted(path.name for path in run.iterdir()) == ["bundle", "points"]

    (run / "points" / "0077" / "mended").touch()
    again = slurm.submit(bundle, "--array=77")
    wait_for_all(slurm, again)
    points = listed(run)
    assert points[77]["state"] == "finished"
    assert (points[77]["run"]["attempts"], points[78]["run"]["attempts"]) == (2, 1)
    assert {index for index, point in points.items() if point["state"] != "finished"} == {13, 150}


WAITS = """
trap 'exit 75' USR2 TERM
[[ $CFGC_ATTEMPT == 001 ]] || exit 0
touch "$CFGC_RUN_DIR/started"
for ((i = 0; i < 3000; i++)); do
  [[ ! -e $CFGC_RUN_DIR/go ]] || exit 0
  sleep 0.1 & wait $!
done
exit 9
"""


def test_a_point_that_saved_comes_back_alone(slurm: Cluster, tmp_path: Path) -> None:
    run = tmp_path / "run"
    job = slurm.submit(swept(tmp_path, WAITS, ["0", "1", "2"], "launch.max_attempts=3"))
    places = [run / "points" / f"000{index}" for index in range(3)]
    deadline = time.monotonic() + SOON_S
    while not all((place / "started").exists() for place in places):
        assert time.monotonic() < deadline, slurm.run("squeue").stdout
        time.sleep(0.2)
    slurm.cancel("--signal=USR2", "--batch", f"{job}_2")  # the last one, which has the array's own number
    ended = slurm.wait(f"{job}_2")
    assert (ended.state, ended.restarts) == ("COMPLETED", 1)
    assert [slurm.job(f"{job}_{index}").state for index in (0, 1)] == ["RUNNING"] * 2
    for place in places[:2]:
        (place / "go").touch()
    others = [slurm.wait(f"{job}_{index}") for index in (0, 1)]
    assert [(other.state, other.restarts) for other in others] == [("COMPLETED", 0)] * 2
    assert [len(list((place / "attempts").iterdir())) for place in places] == [1, 1, 2]


@pytest.mark.covers("cluster.max_array_size")
def test_more_points_than_an_array_holds_are_submitted_in_parts(slurm: Cluster, tmp_path: Path) -> None:
    run = tmp_path / "run"
    values = [str(number) for number in range(5)]
    bundle = swept(tmp_path, 'echo "$CFGC_POINT has $1"', values, "cluster.max_array_size=3")
    jobs = slurm.run(bundle / "submit.sh", "--parsable", cwd=tmp_path).stdout.split()
    assert len(jobs) == 2
    for job in jobs:
        wait_for_all(slurm, job)
    assert {index: point["state"] for index, point in listed(run).items()} == dict.fromkeys(range(5), "finished")
    logs = [(run / "points" / f"000{n}" / "attempts" / "001" / "logs" / "rank-0.log").read_text() for n in range(5)]
    assert logs == [f"{number} has {number}\n" for number in range(5)]
