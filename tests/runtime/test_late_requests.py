"""A request to save that comes once a rank has ended: its exit code stands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import os, sys
from pathlib import Path
from cfgc_runtime import rank
from cfgc_runtime.attempt import Attempt
from cfgc_runtime.world import World

rank._train = lambda *_: 75
attempt = Attempt(Path(sys.argv[1]))
for folder in ("pids", "exits", "beats", "logs"):
    (attempt.path / folder).mkdir(parents=True)
code = rank._supervise_training(Path(), None, World(0, 1, 0, 1, 0), attempt, sys.stdout)


class Slow:
    def __del__(self, sleep=__import__("time").sleep):
        sleep(1)


keep = Slow()  # the interpreter takes its time to end
print("ended", flush=True)
sys.exit(code)
"""


def test_a_request_while_the_interpreter_ends_does_not_kill_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "001")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ended\n"
        for _ in range(20):
            if process.poll() is None:
                os.kill(process.pid, signal.SIGUSR2)
            time.sleep(0.05)
        assert process.wait(20) == 0
    assert '"code": 75' in (tmp_path / "001" / "exits" / "rank-0").read_text()
