"""Which rank hangs, told from what ranks say they do and from the stacks of their threads."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cfgc_runtime.attempt import create_attempt
from cfgc_runtime.hang import DUMP_SIGNAL, Watchdog, innermost, threads_of, waits_in_a_collective
from cfgc_runtime.preflight.presence import Presence
from cfgc_runtime.pulse import BUILDING, CONNECTING, ENDING, FIRST_STEP, PREPARING, TRAINING, Pulse, read_beat
from cfgc_runtime.rundir import RunDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAITING = """Thread 0x00007f01 (most recent call first):
  File "/x/threading.py", line 324 in wait

Current thread 0x00007f02 (most recent call first):
  File "/x/torch/distributed/distributed_c10d.py", line 2800 in all_reduce
  File "/x/torch/distributed/c10d_logger.py", line 81 in wrapper
  File "/x/deepspeed/comm/torch.py", line 200 in all_reduce
"""
SLEEPING = """Current thread 0x00007f02 (most recent call first):
  File "/mine/data.py", line 12 in fetch
  File "/x/torch/utils/data/dataloader.py", line 700 in __next__
"""
NOBODY = 2**22 + 1
"""No process has this id."""

SLEEPS = f"""
import faulthandler, signal, sys, time
faulthandler.register({int(DUMP_SIGNAL)}, file=open(sys.argv[1], "a"), all_threads=True)
print("up", flush=True)
def doze(): time.sleep(60)
doze()
"""


class Clock:
    """Time that passes when the test says so; a look every second, as in a supervisor that runs."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Ranks:
    """Ranks of one or more nodes: their pulses, and the watchdog of one node."""

    def __init__(self, run: RunDirectory, local: range, size: int) -> None:
        self.attempt, self.clock = create_attempt(run), Clock()
        self.children: dict[int, subprocess.Popen[str]] = {}
        for rank in range(size):
            self.attempt.reserve(rank)
        self.pulses = [Pulse(self.attempt.beat_of(rank)) for rank in range(size)]
        self.watchdog = Watchdog(self.attempt, size, 100, 1000, self.clock)
        self.local = local

    def start(self, rank: int, code: str) -> int:
        """A process that stands for ``rank``."""
        command = [sys.executable, "-c", code, str(self.attempt.log(f"rank-{rank}"))]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        self.children[rank] = child
        return child.pid

    def pass_time(self, seconds: int) -> str:
        """What the watchdog says on the way; empty when it has no reason to speak."""
        for _ in range(seconds):
            self.clock.now += 1
            pids = {rank: self.children[rank].pid if rank in self.children else NOBODY for rank in self.local}
            if hang := self.watchdog.look(pids):
                assert hang.rank in pids
                return hang.sentence
        return ""


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Ranks]:
    ranks = Ranks(RunDirectory(tmp_path), range(2), 2)
    yield ranks
    for child in ranks.children.values():
        child.kill()
        child.wait()


def test_the_rank_that_came_less_far_is_named_with_its_stack(two: Ranks) -> None:
    two.start(0, SLEEPS)
    for pulse in two.pulses:
        pulse.enter(TRAINING, 7, 1)
    two.pulses[1].enter(TRAINING, 7, 2)
    assert two.pass_time(99) == ""
    said = two.pass_time(10)
    assert said.startswith("rank 0 stands still since 10")
    assert "in step 7, micro step 1 (training): File " in said
    assert said.endswith("in doze")


def test_equally_far_the_one_outside_of_a_collective_is_named(two: Ranks) -> None:
    doze = "def doze(): time.sleep(60)"
    two.start(0, SLEEPS.replace(doze, f"exec(compile({doze!r}, '/x/torch/distributed/distributed_c10d.py', 'exec'))"))
    pid = two.start(1, SLEEPS)
    for pulse in two.pulses:
        pulse.enter(TRAINING, 7, 1)
    os.kill(pid, 19)  # stopped: it cannot even write its stacks
    said = two.pass_time(110)
    assert said.startswith("rank 1 stands still")
    assert said.endswith("its process is stopped by a signal (kill -CONT goes on)")
    assert waits_in_a_collective(two.attempt.log("rank-0").read_text())


def test_what_takes_long_announces_itself(two: Ranks) -> None:
    for pulse in two.pulses:
        pulse.enter(TRAINING, 7, 1)
    with two.pulses[1].during("a save"):
        pass
    two.pulses[1].enter(TRAINING, 8, 1)
    with two.pulses[0].during("a save"):  # rank 0 still writes, and the other waits for it
        assert two.pass_time(500) == ""
    for pulse in two.pulses:
        pulse.enter(FIRST_STEP, 1, 1)
    assert two.pass_time(1000) == ""


def test_a_job_that_was_suspended_does_not_hang(two: Ranks) -> None:
    for pulse in two.pulses:
        pulse.enter(TRAINING, 7, 1)
    assert two.pass_time(60) == ""
    two.clock.now += 10_000
    assert two.pass_time(30) == ""


def test_off_is_off(tmp_path: Path) -> None:
    ranks = Ranks(RunDirectory(tmp_path), range(1), 1)
    ranks.watchdog = Watchdog(ranks.attempt, 1, 0, 1000, ranks.clock)
    ranks.pulses[0].enter(TRAINING, 7, 1)
    assert ranks.pass_time(5000) == ""


def test_a_rank_of_another_node_is_left_to_its_supervisor_at_first(tmp_path: Path) -> None:
    ranks = Ranks(RunDirectory(tmp_path), range(2, 4), 4)
    for rank, pulse in enumerate(ranks.pulses):
        pulse.enter(TRAINING, 7, 1)
        if rank != 1:
            pulse.enter(TRAINING, 7, 2)
    ranks.start(2, SLEEPS)
    ranks.start(3, SLEEPS)
    assert ranks.pass_time(199) == ""
    assert ranks.pass_time(10).startswith("rank 2 stands still")
    for child in ranks.children.values():
        child.kill()
        child.wait()


def test_ranks_that_have_not_come_are_named(tmp_path: Path) -> None:
    attempt, clock = create_attempt(RunDirectory(tmp_path)), Clock()
    presence = Presence(attempt, 3, clock)
    pulses = [Pulse(attempt.beat_of(rank)) for rank in range(2)]
    pulses[0].enter(CONNECTING)
    pulses[1].enter(BUILDING)
    clock.now += 59
    assert presence.look() == ""
    clock.now += 1
    assert presence.look() == "1 rank waits since 60 s: rank 1 is building the model, rank 2 has not started"
    assert presence.look() == ""
    for pulse in (pulses[1], Pulse(attempt.beat_of(2))):
        pulse.enter(CONNECTING)
    clock.now += 60
    assert presence.look().startswith("all ranks have come, and cannot reach each other after 120 s")
    for rank in range(3):
        Pulse(attempt.beat_of(rank)).enter(PREPARING)
    clock.now += 10_000
    assert presence.look() == ""


def test_dumps_are_read() -> None:
    assert waits_in_a_collective(WAITING)
    assert not waits_in_a_collective(SLEEPING)
    assert not waits_in_a_collective("")
    assert len(threads_of(WAITING)) == 2
    assert innermost(SLEEPING) == 'File "/mine/data.py", line 12 in fetch'


def test_a_pulse_says_how_far_a_rank_is(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path / "beat")
    assert read_beat(tmp_path / "beat") is None
    places = []
    for _ in pulse.follow(iter("abcd"), range(4, 6), 2):
        beat = read_beat(tmp_path / "beat")
        assert beat is not None
        places.append((beat.count, beat.place))
    assert places == [
        (2, "step 5, micro step 1 (its first step)"),
        (4, "step 5, micro step 2 (its first step)"),
        (6, "step 6, micro step 1 (training)"),
        (8, "step 6, micro step 2 (training)"),
    ]
    end = read_beat(tmp_path / "beat")
    assert end is not None
    assert end.phase == ENDING
