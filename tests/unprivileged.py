"""A command as somebody who may not read everything: the suite itself may run as root."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.debian import program

_CAPABILITIES = "-dac_override,-dac_read_search"


def unprivileged(command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """What ``command`` says where modes hold for it."""
    if os.geteuid() == 0:
        command = [program(("setpriv",), "util-linux"), f"--bounding-set={_CAPABILITIES}", "--inh-caps=-all", *command]
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)
