"""Put on PYTHONPATH of real runs: hides the compiler, and ends or slows a rank where a test asks for it.

Environment: ``TEST_KILL=rank:backward`` sends SIGKILL to that rank in that backward pass (counted from 1),
``TEST_BREAK=rank:backward`` makes its gradients nan, ``TEST_SLOW=seconds`` makes each backward pass longer,
``TEST_HANG=rank:backward`` lets it sleep there, ``TEST_SAVE=seconds`` makes each save longer, ``TEST_HIDE=package``
hides one more package, ``TEST_SHOW=package`` one less. ``TEST_STRIKE=who:event:number:seconds`` sends SIGKILL that long
after the event: to a rank, to ``all`` ranks, or to the whole ``machine`` with everything that supervises them; events
are ``start``, ``backward`` and ``save``, counted from 1 in each process.
"""

from __future__ import annotations

import importlib.util
import math
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

ENGINE = "deepspeed.runtime.engine"
# Not pydantic and jinja2, which DeepSpeed and torch themselves use. But mlflow: DeepSpeed's autotuner loads it wherever
# it is installed, though no rank tunes anything, and that is a fifth of what a short run computes.
HIDDEN = {"cfgc", "libcst", "tomlkit", "mlflow", *os.environ.get("TEST_HIDE", "").split()}
HIDDEN -= set(os.environ.get("TEST_SHOW", "").split())


class Hide:
    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> None:
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"{name} is hidden by the test", name=name)


class Intercept:
    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        if name != ENGINE:
            return None
        sys.meta_path.remove(self)
        spec: Any = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_wrap(module: Any) -> None:
            load(module)
            wrap_backward(module.DeepSpeedEngine)
            wrap_save(module.DeepSpeedEngine)

        spec.loader.exec_module = load_and_wrap
        return spec


def wrap_backward(engine_class: Any) -> None:
    backward = engine_class.backward
    kill, breaking, hang = (os.environ.get(f"TEST_{name}") for name in ("KILL", "BREAK", "HANG"))
    done = 0

    def counted(self: Any, loss: Any) -> Any:
        nonlocal done
        done += 1
        now = f"{self.global_rank}:{done}"
        time.sleep(float(os.environ.get("TEST_SLOW", "0")))
        strike("backward", done)
        if now == hang:
            time.sleep(600)
        if now == kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return backward(self, loss * math.nan if now == breaking else loss)

    engine_class.backward = counted


def wrap_save(engine_class: Any) -> None:
    save = engine_class.save_checkpoint
    done = 0

    def counted(self: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal done
        done += 1
        strike("save", done)
        time.sleep(float(os.environ.get("TEST_SAVE", "0")))
        return save(self, *arguments, **named)

    engine_class.save_checkpoint = counted


def strike(event: str, number: int) -> None:
    who, wanted, count, seconds = os.environ.get("TEST_STRIKE", "none:none:0:0").split(":")
    if (event, number) == (wanted, int(count)) and who in (os.environ.get("RANK"), "all", "machine"):
        timer = threading.Timer(float(seconds), kill_machine if who == "machine" else kill_this)
        timer.daemon = True
        timer.start()


def kill_this() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_machine() -> None:
    """Everything from launch.sh down to this rank, the topmost first; the other ranks die with their parents."""
    chain = [os.getpid()]
    while b"launch.sh" not in Path(f"/proc/{chain[-1]}/cmdline").read_bytes():
        chain.append(int(Path(f"/proc/{chain[-1]}/stat").read_text().rpartition(")")[2].split()[1]))
    for pid in reversed(chain):
        os.kill(pid, signal.SIGKILL)


sys.meta_path[:0] = [Hide(), Intercept()]
if sys.argv[-1:] == ["rank"]:
    strike("start", 1)
