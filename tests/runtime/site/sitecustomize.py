"""Put on PYTHONPATH of real runs: hides the compiler, and ends or slows a rank where a test asks for it.

Environment: ``TEST_KILL=rank:backward`` sends SIGKILL to that rank in that backward pass (counted from 1),
``TEST_BREAK=rank:backward`` makes its gradients nan, ``TEST_SLOW=seconds`` makes each backward pass longer,
``TEST_HIDE=package`` hides one more package.
"""

from __future__ import annotations

import importlib.util
import math
import os
import signal
import sys
import time
from typing import Any

ENGINE = "deepspeed.runtime.engine"
# Not pydantic and jinja2, which DeepSpeed and torch themselves use.
HIDDEN = {"cfgc", "libcst", "tomlkit", *os.environ.get("TEST_HIDE", "").split()}


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

        spec.loader.exec_module = load_and_wrap
        return spec


def wrap_backward(engine_class: Any) -> None:
    backward = engine_class.backward
    kill, breaking = os.environ.get("TEST_KILL"), os.environ.get("TEST_BREAK")
    done = 0

    def counted(self: Any, loss: Any) -> Any:
        nonlocal done
        done += 1
        now = f"{self.global_rank}:{done}"
        time.sleep(float(os.environ.get("TEST_SLOW", "0")))
        if now == kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return backward(self, loss * math.nan if now == breaking else loss)

    engine_class.backward = counted


sys.meta_path[:0] = [Hide(), Intercept()]
