"""Builds that are killed at any moment, and builds at the same time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from cfgc.write.writer import write_bundle
from tests.unit.write.bundles import bundle_of, content, expected, names

MANY = {f"f{i}_txt": str(i) * 200 for i in range(20)}
PROGRAM = """
import sys
from pathlib import Path
from cfgc.write.writer import write_bundle
from tests.unit.write.bundles import bundle_of
target, text, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
many = {f"f{i}_txt": str(i) * 200 for i in range(20)}
print("ready", flush=True)
for turn in range(times):
    write_bundle(bundle_of(PLAN_md=f"{text} {turn % 2}", **many), target)
"""


def builder(target: Path, text: str, times: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, str(target), text, str(times)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def is_whole(target: Path, texts: tuple[str, ...]) -> bool:
    wanted = [expected(bundle_of(PLAN_md=f"{text} {turn}", **MANY)) for text in texts for turn in (0, 1)]
    return content(target) in wanted


def test_a_build_killed_at_any_moment_leaves_a_whole_bundle(tmp_path: Path) -> None:
    target = tmp_path / "b"
    write_bundle(bundle_of(PLAN_md="a 0", **MANY), target)
    dice = random.Random(7)
    for _ in range(20):
        process = builder(target, "a", 1_000_000)
        time.sleep(dice.uniform(0.0, 0.08))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert is_whole(target, ("a",))
    write_bundle(bundle_of(PLAN_md="last", **MANY), target)
    assert content(target) == expected(bundle_of(PLAN_md="last", **MANY))
    assert names(tmp_path) == ["b"]


def test_builds_at_the_same_time_leave_one_of_them_whole(tmp_path: Path) -> None:
    target = tmp_path / "b"
    processes = [builder(target, text, 25) for text in ("a", "b", "c")]
    while any(process.poll() is None for process in processes):
        time.sleep(0.01)
    assert [process.wait() for process in processes] == [0, 0, 0]
    for process in processes:
        process.communicate()
    assert is_whole(target, ("a", "b", "c"))
    assert names(tmp_path) == ["b"]
